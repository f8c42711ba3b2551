package report

import (
	"fmt"
	"strings"

	"github.com/mcp-login/mcp-login/internal/doctor"
	"github.com/mcp-login/mcp-login/internal/terminal"
)

// Findings shows the report of doctor: a line for each finding, and its remedy below.
func Findings(findings []doctor.Finding) *terminal.Text {
	const indent = 8 // of what follows the result
	var t terminal.Text
	area := ""
	for _, f := range findings {
		if f.Area != area {
			area = f.Area
			t.Add(terminal.OneLine(area))
		}
		clause := ""
		if f.Clause != "" {
			clause = " (" + f.Clause + ")"
		}
		t.Hanging(indent, fmt.Sprintf("  %-5s %s: %s%s", f.Result, f.Check, f.Detail, clause))
		for line := range strings.Lines(f.Remedy) {
			t.Hanging(indent, strings.Repeat(" ", indent)+line)
		}
	}
	return &t
}
