package envexport

import (
	"bufio"
	"strings"
	"unicode"

	"github.com/mcp-login/mcp-login/internal/ascii"
)

// maxCmdLine is below the 8191 characters that cmd.exe reads of one line.
const maxCmdLine = 8000

// refuseLines refuses line ends. tcsh's command substitution splits at them,
// even in double quotes.
func refuseLines(s string) string {
	if strings.ContainsAny(s, "\r\n") {
		return "the value contains a line break"
	}
	return ""
}

// refusePowerShell refuses the empty value, which takes a variable away before
// PowerShell 7.5.
func refusePowerShell(s string) string {
	if s == "" {
		return "the value is empty, which would unset the variable"
	}
	return ""
}

// refuseCmd refuses what cmd.exe reads differently at its prompt, in a batch
// file and with delayed expansion (% and !), what ends the quoting, and what
// depends on the code page.
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

// refuseDotenv refuses what the readers of .env files disagree on: some take
// \\ and \' as escapes in single quotes, some end at the first line.
func refuseDotenv(s string) string {
	if strings.ContainsAny(s, "'\\\r\n") {
		return "the value contains a line break, ' or \\, which programs that read .env files interpret differently"
	}
	return ""
}

// refuseDocker refuses line ends, for which there is no quoting, and lines
// longer than docker's reader takes.
func refuseDocker(s string) string {
	if len(s) > bufio.MaxScanTokenSize/2 {
		return "the value is longer than the maximum line length"
	}
	return refuseLines(s)
}

// refuseSystemd refuses control characters: systemd drops such a variable with
// a warning. Tab and line feed it takes.
func refuseSystemd(s string) string {
	control := func(r rune) bool { return r < ' ' && r != '\t' && r != '\n' || r == unicode.MaxASCII }
	if strings.ContainsFunc(s, control) {
		return "the value contains a control character"
	}
	return ""
}
