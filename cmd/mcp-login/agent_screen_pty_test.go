//go:build linux

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/mcp-login/mcp-login/internal/terminal/terminaltest"
)

// agentVolatileParts are the parts of an agent's output that differ from run to run,
// with their replacements in the golden files.
var agentVolatileParts = []struct{ pattern, with string }{
	{`(\d{4}-\d\d-\d\d )?\d\d:\d\d:\d\d`, "12:00:00"},
	{`pid \d+`, "pid 4711"},
	{`/tmp/agent\d+/mcp-login`, "/usr/bin/mcp-login"},
	{`/tmp/agent\d+/s\b`, "/run/user/1000/mcp-login/agent.sock"},
}

// TestAgentScreens: an agent at a terminal shows the credentials that it keeps,
// when it refreshes next, and one line for each event. Colors do not change the
// text.
func TestAgentScreens(t *testing.T) {
	for _, size := range []struct {
		name       string
		cols, rows int
	}{{"80x24", 80, 24}, {"120x40", 120, 40}} {
		raw := watchAgent(t, size.cols, size.rows, "TERM=xterm-256color")
		if !strings.Contains(raw, "\x1b[") {
			t.Errorf("no styles in %q", raw)
		}
		for _, c := range agentVolatileParts {
			raw = regexp.MustCompile(c.pattern).ReplaceAllString(raw, c.with)
		}
		screen := terminaltest.Show(size.cols, size.rows, "$ mcp-login agent\r\n"+raw)
		var lines []string
		for l := range strings.SplitSeq(screen.String(), "\n") {
			lines = append(lines, strings.TrimRight(l, " \x00"))
		}
		terminaltest.Golden(t, "testdata/screen/agent-"+size.name+".golden", strings.TrimRight(strings.Join(lines, "\n"), "\n")+"\n")
		if size.cols == 80 {
			for theme, colors := range map[string]terminaltest.Theme{"dark": terminaltest.Dark(), "light": terminaltest.Light()} {
				terminaltest.Golden(t, "testdata/screen/agent-"+theme+".svg", terminaltest.SVG(screen, colors, "an agent and its events"))
			}
		}
	}
	for _, plain := range []string{"TERM=dumb", "TERM=xterm-256color NO_COLOR=1"} {
		raw := watchAgent(t, 80, 24, strings.Fields(plain)...)
		if strings.ContainsAny(raw, "\x1b✗✓") || !strings.Contains(raw, "notion: refreshed, expires ") {
			t.Errorf("with %s: %q", plain, raw)
		}
	}
}

// watchAgent runs an agent at a terminal, from its start to Ctrl-C: a token is
// issued and refreshed, and the credential is removed.
func watchAgent(t *testing.T, cols, rows int, env ...string) (raw string) {
	t.Helper()
	p := newAccount(t)
	dir, err := os.MkdirTemp("/tmp", "agent") // short enough for a socket path
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	client := filepath.Join(dir, "mcp-login")
	if err := os.Link(os.Args[0], client); err != nil {
		t.Skipf("cannot create a short path to this program: %v", err)
	}
	socket := filepath.Join(dir, "s")
	cmd := exec.Command(p.program, "agent", "--socket", socket)
	cmd.Env = append(p.env, env...)
	x := terminaltest.Start(t, cmd, cols, rows)
	x.WaitFor("notion: keeping")
	for _, step := range []struct{ line, shows string }{
		{"token notion", "notion: token issued"}, {"refresh notion", "notion: refreshed"}, {"clear notion", ""}, {"token notion", "token not issued"},
	} {
		c := exec.Command(client, strings.Fields(step.line)...)
		c.Env = append(p.env, "MCP_LOGIN_AGENT_SOCK="+socket)
		_, _ = c.CombinedOutput() // the last one fails, as expected
		x.WaitFor(step.shows)
	}
	x.Signal(syscall.SIGINT)
	_ = cmd.Wait() // the caller checks the output
	<-x.Over
	return x.Raw.String()
}
