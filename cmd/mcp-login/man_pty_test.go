//go:build linux

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mcp-login/mcp-login/internal/terminal/terminaltest"
)

// TestManAtATerminal: man shows the page in the user's pager. If man is missing,
// the help of all commands is shown. In a pipe, the roff source is printed.
func TestManAtATerminal(t *testing.T) {
	home := t.TempDir()
	man := func(env ...string) (*terminaltest.Terminal, string) {
		cmd := exec.Command(os.Args[0], "man")
		cmd.Path, cmd.Args[0] = programLink(t, home), "mcp-login"
		cmd.Env = append([]string{"HOME=" + home, "TERM=xterm"}, env...)
		x := terminaltest.Start(t, cmd, 80, 24)
		if err := cmd.Wait(); err != nil {
			t.Errorf("%v\n%s", err, x.Screen())
		}
		<-x.Over
		return x, x.Raw.String()
	}
	bin := t.TempDir()
	script := "#!/bin/sh\nprintf 'man shows %s with %s:\\n' \"${1##*/}\" \"$MANPAGER\"\n/bin/sed -n 1p \"$1\"\n"
	if err := os.WriteFile(filepath.Join(bin, "man"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, raw := man("PATH="+bin, "MANPAGER=my-pager"); !strings.Contains(raw, "man shows mcp-login.1 with my-pager:\r\n.TH ") {
		t.Errorf("man got %q", raw)
	}
	if _, raw := man("PATH=" + home); !strings.Contains(raw, "man is not installed; this is mcp-login help") || !strings.Contains(raw, "client-metadata") || strings.Contains(raw, ".TH") {
		t.Errorf("without man: %q", raw)
	}
	if _, err := exec.LookPath("man"); err == nil {
		if _, raw := man("PATH="+os.Getenv("PATH"), "MANPAGER=cat"); !strings.Contains(raw, "MCP-LOGIN(1)") && !strings.Contains(raw, "mcp-login(1)") && !strings.Contains(raw, "minimized") {
			t.Errorf("with the system's man: %q", raw)
		}
	}
	piped := exec.Command(programLink(t, home), "man")
	piped.Env = []string{"HOME=" + home, "PATH=" + bin}
	if out, err := piped.Output(); err != nil || !strings.HasPrefix(string(out), ".TH ") {
		t.Errorf("piped: %v, %.80q", err, out)
	}
}
