//go:build linux

package main

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/mcp-login/mcp-login/internal/exit"
	"github.com/mcp-login/mcp-login/internal/terminal/terminaltest"
)

// TestWeakerStoreNeedsConfirmation: the prompt says who can read the credentials
// there, and only a yes moves them.
func TestWeakerStoreNeedsConfirmation(t *testing.T) {
	p := newAccount(t)
	p.env = append(p.env, "MCP_LOGIN_PASSPHRASE=correct horse")
	strong := exec.Command(p.program, "store", "move", "--to", "file:"+t.TempDir()+"/strong", "--to-keeper", "passphrase")
	strong.Env = p.env
	if out, err := strong.CombinedOutput(); err != nil || strings.Contains(string(out), "warning") {
		t.Fatalf("to a stronger store: %v\n%s", err, out)
	}
	store := strong.Args[4]
	for _, tt := range []struct {
		answer, want string
		code         int
	}{
		{"\n", "nothing was moved", exit.Denied},
		{"n\n", "nothing was moved", exit.Denied},
		{"y\n", `moved "notion"`, exit.Done},
	} {
		cmd := exec.Command(p.program, "store", "move", "--store", store, "--keeper", "passphrase", "--to", "file:")
		cmd.Env = append(p.env, "TERM=dumb")
		x := terminaltest.Start(t, cmd, 500, 24)
		x.WaitFor(`Move "notion" from ` + store + " to file:")
		x.PTY.WriteString(tt.answer)
		_ = cmd.Wait() // the exit code is checked
		<-x.Over
		screen := x.Screen()
		for _, want := range []string{"protects credentials less than", "anyone with copies of the folder and of the key file", tt.want} {
			if !strings.Contains(screen, want) {
				t.Errorf("answer %q: no %q on the screen:\n%s", tt.answer, want, screen)
			}
		}
		if code := cmd.ProcessState.ExitCode(); code != tt.code {
			t.Errorf("answer %q: exit code %d, want %d\n%s", tt.answer, code, tt.code, screen)
		}
	}
}
