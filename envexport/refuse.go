package envexport

import (
	"bufio"
	"strings"

	"github.com/mcp-login/mcp-login/internal/ascii"
)

// maxCmdLine is below cmd.exe's limit of 8191 characters a line.
const maxCmdLine = 8000

// refuseLines rejects line breaks. tcsh's command substitution splits at them,
// even in double quotes.
func refuseLines(s string) string {
	if strings.ContainsAny(s, "\r\n") {
		return "the value contains a line break"
	}
	return ""
}

// refusePowerShell rejects the empty value, which unsets a variable before
// PowerShell 7.5.
func refusePowerShell(s string) string {
	if s == "" {
		return "the value is empty, which would unset the variable"
	}
	return ""
}

// refuseCmd rejects characters that cmd.exe interprets differently at its
// prompt, in a batch file and with delayed expansion (% and !), the quote, and
// characters that depend on the code page.
func refuseCmd(s string) string {
	switch {
	case s == "":
		return "the value is empty, which would unset the variable"
	case len(s) > maxCmdLine:
		return "the value is longer than the maximum line length"
	case strings.ContainsAny(s, "\"%!"):
		return "the value contains \", % or !"
	case !ascii.Only(s, ascii.Printable):
		return "the value is not printable ASCII"
	}
	return ""
}

// refuseDotenv rejects characters that parsers of .env files interpret
// differently: some treat \\ and \' as escapes in single quotes, some stop at
// the first line break.
func refuseDotenv(s string) string {
	if strings.ContainsAny(s, "'\\\r\n") {
		return "the value contains a line break, ' or \\, which programs that read .env files interpret differently"
	}
	return ""
}

// refuseDocker rejects line breaks, which cannot be quoted, and lines longer
// than docker's limit.
func refuseDocker(s string) string {
	if len(s) > bufio.MaxScanTokenSize/2 {
		return "the value is longer than the maximum line length"
	}
	return refuseLines(s)
}

// refuseSystemd rejects control characters except tab and line feed: systemd
// drops such a variable with a warning.
func refuseSystemd(s string) string {
	control := func(r rune) bool { return ascii.Control(r) && r != '\t' && r != '\n' }
	if strings.ContainsFunc(s, control) {
		return "the value contains a control character"
	}
	return ""
}
