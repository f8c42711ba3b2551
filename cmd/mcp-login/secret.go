package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"

	"golang.org/x/term"

	"github.com/mcp-login/mcp-login/ci"
	"github.com/mcp-login/mcp-login/internal/subprocess"
	"github.com/mcp-login/mcp-login/secrets"
)

// secret reads a secret from where source says: file:PATH, env:NAME,
// command:LINE or prompt. A secret itself is refused: everybody on the machine
// can read a command line.
func (e *env) secret(ctx context.Context, source, what string) (string, error) {
	scheme, rest, _ := strings.Cut(source, ":")
	var value []byte
	var err error
	switch scheme {
	case "file":
		value, err = os.ReadFile(rest)
	case "env":
		value = []byte(e.getenv(rest))
	case "command":
		value, err = e.output(ctx, rest)
	case "prompt":
		value, err = e.ask(ctx, what+": ")
	default:
		return "", usagef("%s: give file:PATH, env:NAME, command:LINE or prompt, never the secret itself", what)
	}
	if err != nil {
		return "", fmt.Errorf("read %s: %w", what, err)
	}
	text := strings.TrimRight(string(value), "\r\n")
	if text == "" {
		return "", fmt.Errorf("read %s: it is empty", what)
	}
	e.hidden.hide(text)
	return text, nil
}

// The variables that hold a passphrase, or with _FILE or _COMMAND at the end
// say where it is.
const (
	storePassphrase  = "MCP_LOGIN_PASSPHRASE"
	nextPassphrase   = "MCP_LOGIN_NEW_PASSPHRASE"
	parcelPassphrase = "MCP_LOGIN_EXPORT_PASSPHRASE"
)

// passphrase returns what reads the store's passphrase: from the environment's
// file, command or value, else from the terminal if a person may be asked.
func (e *env) passphrase(ask bool, question string) func(context.Context) ([]byte, error) {
	return e.passphraseFrom(storePassphrase, ask, question)
}

func (e *env) passphraseFrom(variable string, ask bool, question string) func(context.Context) ([]byte, error) {
	return func(ctx context.Context) ([]byte, error) {
		source := e.passphraseSource(variable)
		if source == "" && !ask {
			return nil, fmt.Errorf("%w: none was given, and this command asks for none", secrets.ErrPassphrase)
		}
		if source == "" {
			answer, err := e.ask(ctx, question)
			if errors.Is(err, errNoTerminal) {
				err = fmt.Errorf("%w: none was given, and %w", secrets.ErrPassphrase, err)
			}
			return answer, err
		}
		text, err := e.secret(ctx, source, "passphrase")
		if err != nil {
			return nil, passphraseError{err}
		}
		return []byte(text), nil
	}
}

// passphraseError is a passphrase whose source failed: what it would open is
// out of reach.
type passphraseError struct{ error }

func (p passphraseError) Unwrap() []error { return []error{p.error, secrets.ErrUnavailable} }

// newPassphrase has a passphrase chosen: typed twice, unless it is given by
// the environment.
func (e *env) newPassphrase(variable string, ask bool) func(context.Context) ([]byte, error) {
	return func(ctx context.Context) ([]byte, error) {
		first, err := e.passphraseFrom(variable, ask, "new passphrase: ")(ctx)
		if err != nil || e.passphraseSource(variable) != "" {
			return first, err
		}
		again, err := e.ask(ctx, "once more: ")
		if err == nil && !bytes.Equal(first, again) {
			err = errors.New("the two passphrases differ")
		}
		return first, err
	}
}

func (e *env) passphraseSource(variable string) string {
	if path := e.getenv(variable + "_FILE"); path != "" {
		return "file:" + path
	}
	if line := e.getenv(variable + "_COMMAND"); line != "" {
		return "command:" + line
	}
	if e.getenv(variable) != "" {
		return "env:" + variable
	}
	if variable != storePassphrase {
		return ""
	}
	if path := e.configured("passphrase-file"); path != "" {
		return "file:" + path
	}
	if line := e.configured("passphrase-command"); line != "" {
		return "command:" + line
	}
	return ""
}

// output runs a command line by the system's shell and returns what it prints.
// What it says on standard error is for the person who wrote it.
func (e *env) output(ctx context.Context, line string) ([]byte, error) {
	shell, flag := "/bin/sh", "-c"
	if runtime.GOOS == "windows" {
		shell, flag = "cmd.exe", "/C"
	}
	cmd := subprocess.WithoutInput(ctx, shell, flag, line)
	cmd.Stderr = e.childErr()
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("the command failed: %w", err)
	}
	return out, nil
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

var errNoTerminal = errors.New("there is no terminal to ask at")

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
