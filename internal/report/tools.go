package report

import (
	"fmt"
	"strings"

	"github.com/mcp-login/mcp-login/internal/mcpprobe"
	"github.com/mcp-login/mcp-login/internal/printable"
	"github.com/mcp-login/mcp-login/internal/terminal"
	"github.com/mcp-login/mcp-login/oauth"
)

// Tools shows what a server said to test. All text in it is the server's.
func Tools(r mcpprobe.Report) *terminal.Text {
	const maxLine, maxContent, indent = 200, 10_000, 4
	var text terminal.Text
	line := func(indent int, format string, a ...any) { text.Hanging(indent, fmt.Sprintf(format, a...)) }
	line(0, "%s %s, protocol %s", oauth.Sanitize(r.Name, maxLine), oauth.Sanitize(r.Version, maxLine), r.Protocol())
	line(0, "%s", printable.Count(len(r.Tools), "tool"))
	for _, t := range r.Tools {
		about := oauth.Sanitize(t.Name, maxLine)
		if t.Description != "" {
			first, _, _ := strings.Cut(t.Description, "\n")
			about += ": " + oauth.Sanitize(first, maxLine)
		}
		line(indent, "  %s", about)
	}
	for _, result := range r.Results {
		outcome := "answered"
		if result.IsError {
			outcome = "failed"
		}
		line(0, "%s %s", oauth.Sanitize(result.Tool, maxLine), outcome)
		for _, content := range result.Texts() {
			line(0, "  %s", oauth.Sanitize(content, maxContent)) // as it is, to be copied
		}
	}
	return &text
}
