package main

import (
	"context"
	"strings"

	"github.com/mcp-login/mcp-login/internal/commandline"
	"github.com/mcp-login/mcp-login/internal/exit"
	"github.com/mcp-login/mcp-login/internal/remedy"
	"github.com/mcp-login/mcp-login/internal/terminal"
)

// finish prints the result or error and returns the exit code.
func (e *call) finish(ctx context.Context, err error) int {
	if err == nil {
		return exit.Done
	}
	if ctx.Err() != nil {
		return exit.Interrupted // the sender of the signal knows
	}
	code, hint := e.Remedy().For(err)
	if text := remedy.Text(err); text != "" {
		e.say("mcp-login: %s", e.hidden.Clean(terminal.OneLine(text)))
	}
	for line := range strings.Lines(hint) {
		lead := "hint:"
		if code == exit.BadUsage && strings.HasSuffix(line, " "+commandline.HelpFlag) {
			lead = "Run"
		}
		e.say("%s %s", lead, e.hidden.Clean(line))
	}
	return code
}
