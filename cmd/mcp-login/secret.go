package main

import (
	"context"
	"io"

	"github.com/mcp-login/mcp-login/ci"
	"github.com/mcp-login/mcp-login/internal/secretref"
)

// reader returns what reads secrets from their sources.
func (e *call) reader() secretref.Reader {
	return secretref.Reader{Getenv: e.getenv, Ask: e.streams().Secret, Stderr: e.childErr(), Loaded: func(secret string) { e.hidden.Hide(secret) }}
}

// secret reads a secret from a source.
func (e *call) secret(ctx context.Context, source, what string) (string, error) {
	return e.reader().Read(ctx, source, what)
}

// passphrase returns where the passphrase of a variable comes from. A person may
// be asked for it.
func (e *call) passphrase(variable string) secretref.Passphrase {
	return secretref.Passphrase{Reader: e.reader(), Source: secretref.FromVariable(e.getenv, variable), MayAsk: true}
}

// childErr returns standard error for a helper command that the user configured:
// the stream itself, so that the helper can use the terminal. In a CI job its
// lines are guarded too, since they may repeat text from a server.
func (e *call) childErr() io.Writer {
	if ci.Detect(e.getenv) != ci.None {
		return e.err
	}
	return e.streams().RawErr()
}
