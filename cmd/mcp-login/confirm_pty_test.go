//go:build linux

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mcp-login/mcp-login/internal/exit"
	"github.com/mcp-login/mcp-login/internal/terminal/terminaltest"
)

// TestMigrationNeedsConfirmation: only a yes changes the clients' files; a no has
// the same exit code as in every command.
func TestMigrationNeedsConfirmation(t *testing.T) {
	p := newAccount(t)
	file := filepath.Join(filepath.Dir(p.program), ".cursor", "mcp.json")
	const before = `{"mcpServers": {"linear": {"command": "npx", "args": ["-y", "mcp-remote", "https://mcp.linear.app/mcp"]}}}`
	if err := os.Mkdir(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		answer, want string
		code         int
	}{
		{"\n", "nothing was changed", exit.Denied},
		{"y\n", "changed ", exit.Done},
	} {
		if err := os.WriteFile(file, []byte(before), 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(p.program, "client-config", "--migrate")
		cmd.Env = append(p.env, "TERM=dumb")
		x := terminaltest.Start(t, cmd, 500, 24)
		x.WaitFor("mcp.json? [y/N]")
		x.PTY.WriteString(tt.answer)
		_ = cmd.Wait() // the exit code is checked
		<-x.Over
		screen := x.Screen()
		if code := cmd.ProcessState.ExitCode(); code != tt.code || !strings.Contains(screen, tt.want) {
			t.Errorf("answer %q: exit code %d, want %d and %q\n%s", tt.answer, code, tt.code, tt.want, screen)
		}
		if after, err := os.ReadFile(file); err != nil || (string(after) == before) != (tt.code == exit.Denied) {
			t.Errorf("answer %q: %v\n%s", tt.answer, err, after)
		}
	}
}

// TestWeakerKeeperNeedsConfirmation: the prompt says who could read the credentials,
// and a no changes nothing.
func TestWeakerKeeperNeedsConfirmation(t *testing.T) {
	p := newAccount(t, "MCP_LOGIN_PASSPHRASE=correct horse")
	p.env = append(p.env, "MCP_LOGIN_PASSPHRASE=correct horse", "TERM=dumb")
	for _, tt := range []struct {
		answer, want string
		code         int
	}{
		{"n\n", "nothing was changed", exit.Denied},
		{"y\n", "kept by: key-file", exit.Done},
	} {
		cmd := exec.Command(p.program, "store", "rekey", "--keeper", "key-file")
		cmd.Env = p.env
		x := terminaltest.Start(t, cmd, 500, 24)
		x.WaitFor("Encrypt the store with a new key, kept by a key file? [y/N]")
		x.PTY.WriteString(tt.answer)
		_ = cmd.Wait() // the exit code is checked
		<-x.Over
		screen := x.Screen()
		if code := cmd.ProcessState.ExitCode(); code != tt.code || !strings.Contains(screen, tt.want) ||
			!strings.Contains(screen, "a key file protects credentials less than a passphrase") {
			t.Errorf("answer %q: exit code %d, want %d and %q\n%s", tt.answer, code, tt.code, tt.want, screen)
		}
	}
}
