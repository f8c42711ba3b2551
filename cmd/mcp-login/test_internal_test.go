package main

import (
	"errors"
	"testing"

	"github.com/mcp-login/mcp-login/internal/exit"
	"github.com/mcp-login/mcp-login/internal/mcpprobe"
)

// TestFailedToolIsAnError: a script detects a failed tool by the exit code.
func TestFailedToolIsAnError(t *testing.T) {
	for _, failed := range []bool{false, true} {
		err := toolError(mcpprobe.Report{Results: []mcpprobe.Result{{Tool: "a"}, {Tool: "b", IsError: failed}}})
		if (err != nil) != failed {
			t.Errorf("failed %v: %v", failed, err)
		}
	}
}

// TestMistypedTool: the hint repeats the command with the most similar tool names
// of the server.
func TestMistypedTool(t *testing.T) {
	var tools []mcpprobe.Tool
	for _, name := range []string{"echo", "add", "add2", "notion-search", "Search", "$(reboot)", "\x1b[2J", "", "two words"} {
		tools = append(tools, mcpprobe.Tool{Name: name})
	}
	for typed, want := range map[string]string{
		"ad":        "mcp-login test box --call add --args '{}'\nor: mcp-login test box --call add2 --args '{}'",
		"search":    "mcp-login test box --call Search --args '{}'\nor: mcp-login test box --call notion-search --args '{}'",
		"$(rebot)":  "mcp-login test box --call '$(reboot)' --args '{}'",
		"\x1b[2K":   "to list its tools: mcp-login test box",
		"two wrods": "mcp-login test box --call 'two words' --args '{}'",
		"something": "to list its tools: mcp-login test box",
	} {
		e, _, _ := testEnv(t)
		e.Line = treeOf(allCommands(e)).Interpret([]string{"test", "box", "--call", typed, "--args", "{}"})
		code, hint := e.Remedy().For(&mcpprobe.UnknownToolError{Tool: typed, Tools: tools, Err: errors.New("no")})
		if code != exit.Failed || hint != want {
			t.Errorf("%q: exit code %d, hint\n%s\nwant\n%s", typed, code, hint, want)
		}
	}
}
