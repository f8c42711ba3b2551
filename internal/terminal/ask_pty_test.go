//go:build linux

package terminal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"testing"

	"github.com/mcp-login/mcp-login/internal/secretref"
	"github.com/mcp-login/mcp-login/internal/terminal/terminaltest"
)

// askProcess is the environment variable that makes TestAskProcess prompt.
const askProcess = "MCP_LOGIN_TEST_ASK"

// TestAskProcess is the process that the other tests run in a terminal.
func TestAskProcess(t *testing.T) {
	kind := os.Getenv(askProcess)
	if kind == "" {
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	switch kind {
	case "secret":
		text, err := processStreams().Secret(ctx, "a secret: ")
		fmt.Printf("got %d bytes, %v\n", len(text), err)
	case "confirm":
		yes, err := processStreams().Confirm(ctx, "go on? [y/N] ")
		fmt.Printf("got %v, %v\n", yes, err)
	}
	os.Exit(0)
}

func ask(t *testing.T, kind string) *terminaltest.Terminal {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestAskProcess$")
	cmd.Env = append(os.Environ(), askProcess+"="+kind)
	return terminaltest.Start(t, cmd, 80, 24)
}

func TestSecretIsNotEchoed(t *testing.T) {
	for _, tt := range []struct{ keys, want string }{
		{"s3cret\n", "got 6 bytes, <nil>"},
		{"s3cr\x03", "got 0 bytes, context canceled"}, // Ctrl-C
	} {
		x := ask(t, "secret")
		x.WaitFor("a secret:")
		if x.Echo() {
			t.Error("echo is on when the prompt appears: text typed early is shown")
		}
		io.WriteString(x.PTY, tt.keys)
		x.WaitFor(tt.want)
		if strings.Contains(x.Screen(), "s3cr") {
			t.Errorf("the secret is on the screen:\n%s", x.Screen())
		}
		if !x.Echo() {
			t.Error("echo is still off")
		}
	}
}

func TestConfirm(t *testing.T) {
	for keys, want := range map[string]string{
		"y\n": "got true, <nil>", "YES\n": "got true, <nil>", "\n": "got false, <nil>", "yeah\n": "got false, <nil>", "\x04": "got false, <nil>",
		"\x03": "got false, context canceled",
	} {
		x := ask(t, "confirm")
		x.WaitFor("go on?")
		io.WriteString(x.PTY, keys)
		x.WaitFor(want)
	}
}

func TestWithoutTerminal(t *testing.T) {
	var shown bytes.Buffer
	s := Streams{Err: &shown, Getenv: func(string) string { return "" }, TTY: func() (*os.File, error) { return nil, os.ErrNotExist }}
	if s.CanAsk() || s.Interactive() {
		t.Error("CanAsk or Interactive is true without a terminal")
	}
	if _, err := s.Secret(t.Context(), "a secret: "); !errors.Is(err, secretref.ErrNoTerminal) {
		t.Errorf("Secret: %v", err)
	}
	if _, err := s.Confirm(t.Context(), "go on?"); !errors.Is(err, secretref.ErrNoTerminal) {
		t.Errorf("Confirm: %v", err)
	}
	if shown.Len() > 0 {
		t.Errorf("prompts %q", shown.String())
	}
}

func TestColumns(t *testing.T) {
	for columns, want := range map[string]int{"": 80, "0": 80, "-1": 80, "wide": 80, "132": 132} {
		s := Streams{Err: io.Discard, Getenv: func(name string) string { return map[string]string{"COLUMNS": columns}[name] }}
		if got := s.Columns(); got != want {
			t.Errorf("COLUMNS=%q: %d columns, want %d", columns, got, want)
		}
	}
}
