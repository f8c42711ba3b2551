package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/term"

	"github.com/mcp-login/mcp-login/ci"
	"github.com/mcp-login/mcp-login/internal/secretref"
)

// reader returns what reads secrets from their sources.
func (e *env) reader() secretref.Reader {
	return secretref.Reader{Getenv: e.getenv, Ask: e.ask, Stderr: e.childErr(), Loaded: func(secret string) { e.hidden.hide(secret) }}
}

// secret reads a secret from a source.
func (e *env) secret(ctx context.Context, source, what string) (string, error) {
	return e.reader().Read(ctx, source, what)
}

// The variables that hold a passphrase, or with _FILE or _COMMAND at the end
// say where it is.
const (
	storePassphrase  = "MCP_LOGIN_PASSPHRASE"
	nextPassphrase   = "MCP_LOGIN_NEW_PASSPHRASE"
	parcelPassphrase = "MCP_LOGIN_EXPORT_PASSPHRASE"
)

// passphrase returns where the passphrase of a variable comes from. A person may
// be asked for it.
func (e *env) passphrase(variable string) secretref.Passphrase {
	return secretref.Passphrase{Reader: e.reader(), Source: secretref.FromVariable(e.getenv, variable), MayAsk: true}
}

// childErr returns standard error for a helper command that the user configured:
// the stream itself, so that the helper can use the terminal. In a CI job its
// lines are guarded too, since they may repeat text from a server.
func (e *env) childErr() io.Writer {
	if ci.Detect(e.getenv) != ci.None {
		return e.err
	}
	return e.rawErr()
}

var errNoTerminal = secretref.ErrNoTerminal

// ask asks the person at the terminal for a secret, without showing it. The
// terminal is as before afterwards, when interrupted too.
func (e *env) ask(ctx context.Context, question string) ([]byte, error) {
	tty, err := e.tty()
	if err != nil {
		return nil, errNoTerminal
	}
	defer tty.Close()
	fd := int(tty.Fd())
	state, err := term.GetState(fd)
	if err != nil {
		return nil, errNoTerminal
	}
	out := io.Writer(tty)
	if _, err := io.WriteString(out, question); err != nil { // Windows: a console's input takes no text
		out = e.err
		_, _ = io.WriteString(out, question)
	}
	defer fmt.Fprintln(out)
	type answer struct {
		text []byte
		err  error
	}
	read := make(chan answer, 1)
	go func() {
		text, err := term.ReadPassword(fd)
		read <- answer{text, err}
	}()
	select {
	case a := <-read:
		return a.text, a.err
	case <-ctx.Done(): // the process ends, and the reader with it
		return nil, errors.Join(ctx.Err(), term.Restore(fd, state))
	}
}

// canAsk reports whether there is a terminal to ask a person at.
func (e *env) canAsk() bool {
	tty, err := e.tty()
	if err != nil {
		return false
	}
	_ = tty.Close() // only looked whether there is one
	return true
}

// readAlong reports whether a person sees standard error as it is written.
func (e *env) readAlong() bool {
	f, ok := e.rawErr().(*os.File)
	return ok && ci.Detect(e.getenv) == ci.None && term.IsTerminal(int(f.Fd()))
}
