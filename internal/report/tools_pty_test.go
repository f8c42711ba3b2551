//go:build linux

package report_test

import (
	"bufio"
	"strings"
	"testing"

	"github.com/creack/pty"

	"github.com/mcp-login/mcp-login/internal/mcpprobe"
	"github.com/mcp-login/mcp-login/internal/report"
	"github.com/mcp-login/mcp-login/internal/terminal"
)

// TestToolsFitTheTerminal: a long description of a tool continues below its name.
func TestToolsFitTheTerminal(t *testing.T) {
	pt, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer pt.Close()
	defer tty.Close()
	if err := pty.Setsize(tty, &pty.Winsize{Cols: 30, Rows: 24}); err != nil {
		t.Fatal(err)
	}
	r := mcpprobe.Report{Name: "demo", Version: "1", Tools: []mcpprobe.Tool{{Name: "search", Description: "Searches all pages of the workspace"}}}
	if err := (terminal.Streams{Out: tty, Getenv: func(string) string { return "" }}).AnswerText(report.Tools(r)); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(pt)
	for _, want := range []string{"demo 1, protocol ", "1 tool\r", "  search: Searches all pages", "    of the workspace"} {
		if !lines.Scan() || !strings.HasPrefix(lines.Text()+"\r", want) {
			t.Errorf("%q, want %q", lines.Text(), want)
		}
	}
}
