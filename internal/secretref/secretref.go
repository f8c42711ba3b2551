// Package secretref reads a secret from a source: file:PATH, env:NAME,
// command:LINE or prompt. It must not know the command line, the configuration
// or the terminal: the caller passes in what it may use.
package secretref

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/mcp-login/mcp-login/internal/subprocess"
)

// Stored names the kinds of source that a stored credential may have.
const Stored = "file:PATH, env:NAME or command:LINE"

// ErrNoTerminal is what Ask returns if there is no terminal.
var ErrNoTerminal = errors.New("no terminal to prompt on")

// SyntaxError means that a source has an unknown form. It never contains the
// source, which may be the secret itself.
type SyntaxError struct{ What string }

func (e *SyntaxError) Error() string {
	return e.What + ": use file:PATH, env:NAME, command:LINE or prompt, not the secret itself"
}

// Reader reads secrets.
type Reader struct {
	Getenv func(name string) string
	Ask    func(ctx context.Context, question string) ([]byte, error) // asks the user
	Stderr io.Writer                                                  // standard error of commands
	Loaded func(secret string)                                        // called with each secret, so that it can be redacted
}

// Read reads the secret from a source. Parameter what names it in errors and
// prompts. A secret in place of a source is rejected: every user of the machine
// can read a command line.
func (r Reader) Read(ctx context.Context, source, what string) (string, error) {
	value, err := r.load(ctx, source, what)
	if _, ok := errors.AsType[*SyntaxError](err); ok {
		return "", err
	}
	if err != nil {
		return "", fmt.Errorf("read %s: %w", what, err)
	}
	text := strings.TrimRight(string(value), "\r\n")
	if text == "" {
		return "", fmt.Errorf("read %s: it is empty", what)
	}
	r.Loaded(text)
	return text, nil
}

func (r Reader) load(ctx context.Context, source, what string) ([]byte, error) {
	scheme, rest, _ := strings.Cut(source, ":")
	switch scheme {
	case "file":
		return os.ReadFile(rest)
	case "env":
		return []byte(r.Getenv(rest)), nil
	case "command":
		return r.output(ctx, rest)
	case "prompt":
		return r.Ask(ctx, what+": ")
	}
	return nil, &SyntaxError{what}
}

// output runs a command line with the system's shell and returns what it prints.
// Its standard input is empty.
func (r Reader) output(ctx context.Context, line string) ([]byte, error) {
	shell, flag := "/bin/sh", "-c"
	if runtime.GOOS == "windows" {
		shell, flag = "cmd.exe", "/C"
	}
	cmd := subprocess.WithoutInput(ctx, shell, flag, line)
	cmd.Stderr = r.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("the command failed: %w", err)
	}
	return out, nil
}

// Durable returns an equivalent source that does not depend on the current
// folder.
func Durable(source string) (string, error) {
	scheme, rest, _ := strings.Cut(source, ":")
	switch {
	case source == "", scheme == "env" && rest != "", scheme == "command" && rest != "":
		return source, nil
	case scheme == "file" && rest != "":
		path, err := filepath.Abs(rest)
		return "file:" + path, err
	}
	return "", fmt.Errorf("use %s, not the secret itself", Stored)
}
