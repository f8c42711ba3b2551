package report

import (
	"strings"

	"github.com/mcp-login/mcp-login/internal/mcpprobe"
	"github.com/mcp-login/mcp-login/internal/terminal"
	"github.com/mcp-login/mcp-login/oauth"
)

// Tools shows what a server said to test. All text in it is the server's.
func Tools(r mcpprobe.Report) string {
	const maxLine, maxContent = 200, 10_000
	var b strings.Builder
	line := func(format string, a ...any) { b.WriteString(terminal.Linef(format, a...)) }
	line("%s %s, protocol %s", oauth.Sanitize(r.Name, maxLine), oauth.Sanitize(r.Version, maxLine), r.Protocol())
	line("%d tools", len(r.Tools))
	for _, t := range r.Tools {
		text := oauth.Sanitize(t.Name, maxLine)
		if t.Description != "" {
			first, _, _ := strings.Cut(t.Description, "\n")
			text += ": " + oauth.Sanitize(first, maxLine)
		}
		line("  %s", text)
	}
	for _, result := range r.Results {
		outcome := "answered"
		if result.IsError {
			outcome = "failed"
		}
		line("%s %s", oauth.Sanitize(result.Tool, maxLine), outcome)
		for _, text := range result.Texts() {
			line("  %s", oauth.Sanitize(text, maxContent))
		}
	}
	return b.String()
}
