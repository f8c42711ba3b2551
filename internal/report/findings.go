package report

import (
	"strings"

	"github.com/mcp-login/mcp-login/internal/doctor"
	"github.com/mcp-login/mcp-login/internal/terminal"
)

// Findings shows the report of doctor: a line for each finding, and its remedy below.
func Findings(findings []doctor.Finding) string {
	var b strings.Builder
	area := ""
	for _, f := range findings {
		if f.Area != area {
			area = f.Area
			b.WriteString(terminal.Linef("%s", area))
		}
		clause := ""
		if f.Clause != "" {
			clause = " (" + f.Clause + ")"
		}
		b.WriteString(terminal.Linef("  %-5s %s: %s%s", f.Result, f.Check, f.Detail, clause))
		for line := range strings.Lines(f.Remedy) {
			b.WriteString(terminal.Linef("        %s", strings.TrimSuffix(line, "\n")))
		}
	}
	return b.String()
}
