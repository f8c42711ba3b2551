package access

import (
	"context"
	"io"

	"github.com/mcp-login/mcp-login/ci"
	"github.com/mcp-login/mcp-login/internal/secretref"
)

// Secret reads a secret from a source. Parameter what names it in errors and
// prompts.
func (o Opener) Secret(ctx context.Context, source, what string) (string, error) {
	return o.reader().Read(ctx, source, what)
}

// Passphrase returns where the passphrase of an environment variable comes from. The
// user may be prompted for it.
func (o Opener) Passphrase(variable string) secretref.Passphrase {
	return secretref.Passphrase{Reader: o.reader(), Source: secretref.FromVariable(o.Getenv, variable), MayAsk: true}
}

func (o Opener) reader() secretref.Reader {
	return secretref.Reader{Getenv: o.Getenv, Ask: o.Streams.Secret, Stderr: o.helperErr(), Loaded: func(secret string) { o.Hidden.Hide(secret) }}
}

// helperErr returns standard error for a helper command that the user configured:
// the stream itself, so that the helper can use the terminal. In a CI job its
// lines are guarded too, because they may repeat text from a server.
func (o Opener) helperErr() io.Writer {
	if ci.Detect(o.Getenv) != ci.None {
		return o.Streams.Err
	}
	return o.Streams.RawErr()
}
