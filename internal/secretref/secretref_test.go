package secretref_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/mcp-login/mcp-login/internal/secretref"
	"github.com/mcp-login/mcp-login/secrets"
)

func reader(answers ...string) (secretref.Reader, *[]string) {
	var loaded []string
	return secretref.Reader{
		Getenv: func(name string) string { return map[string]string{"SECRET": "from-env"}[name] },
		Ask: func(context.Context, string) ([]byte, error) {
			if len(answers) == 0 {
				return nil, secretref.ErrNoTerminal
			}
			next := answers[0]
			answers = answers[1:]
			return []byte(next), nil
		},
		Stderr: new(bytes.Buffer),
		Loaded: func(secret string) { loaded = append(loaded, secret) },
	}, &loaded
}

func TestRead(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the commands are for a Unix shell")
	}
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte("from-file\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for source, want := range map[string]string{
		"file:" + path: "from-file", "env:SECRET": "from-env", "command:echo from-command": "from-command",
		"command:cat; echo ended": "ended", "prompt": "typed",
	} {
		r, loaded := reader("typed")
		got, err := r.Read(t.Context(), source, "secret")
		if err != nil || got != want || len(*loaded) != 1 || (*loaded)[0] != want {
			t.Errorf("%s: %q, %v, reported %q; want %q", source, got, err, *loaded, want)
		}
	}
}

func TestReadFails(t *testing.T) {
	for source, want := range map[string]string{
		"env:UNSET": "it is empty", "prompt": "no terminal", "file:/nowhere/at/all": "read thing", "command:exit 3": "the command failed",
		"hunter2": "not the secret itself",
	} {
		r, _ := reader()
		_, err := r.Read(t.Context(), source, "thing")
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v, want %s", source, err, want)
		}
		if _, syntax := errors.AsType[*secretref.SyntaxError](err); syntax != (source == "hunter2") {
			t.Errorf("%s: a SyntaxError is %v", source, syntax)
		}
	}
}

func TestPassphrase(t *testing.T) {
	r, _ := reader()
	for _, mayAsk := range []bool{true, false} {
		if _, err := (secretref.Passphrase{Reader: r, MayAsk: mayAsk}).Read("?")(t.Context()); !errors.Is(err, secrets.ErrPassphrase) {
			t.Errorf("may prompt %v: %v", mayAsk, err)
		}
	}
	if _, err := (secretref.Passphrase{Reader: r, Source: "env:UNSET"}).Read("?")(t.Context()); !errors.Is(err, secrets.ErrUnavailable) {
		t.Errorf("a source that fails: %v", err)
	}
	r, _ = reader("one", "two")
	if _, err := (secretref.Passphrase{Reader: r, MayAsk: true}).Choose("new passphrase: ")(t.Context()); err == nil || !strings.Contains(err.Error(), "do not match") {
		t.Errorf("two different passphrases: %v", err)
	}
}
