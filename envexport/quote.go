package envexport

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf16"

	"github.com/mcp-login/mcp-login/internal/ascii"
)

// quoteSh quotes for POSIX shells (POSIX 2.2.2): in single quotes only the
// quote itself is special.
func quoteSh(s string) string {
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// quoteFish quotes for fish, where \\ and \' are escapes in single quotes.
func quoteFish(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + "'"
}

// quoteElvish quotes for elvish, where the quote is the only special character
// and is doubled.
func quoteElvish(s string) string {
	return "'" + strings.ReplaceAll(s, "'", "''") + "'"
}

// quoteTcsh quotes for csh, which substitutes the history character even in
// single quotes.
func quoteTcsh(s string) string {
	return "'" + strings.NewReplacer("'", `'\''`, "!", `\!`).Replace(s) + "'"
}

// quotePowerShell returns an expression in ASCII: Windows PowerShell decodes a
// program's output in the console's code page, which would corrupt other
// characters. This also avoids U+2018 to U+201B, which PowerShell treats as
// quotes.
func quotePowerShell(s string) string {
	var b strings.Builder
	b.WriteByte('\'')
	for _, r := range s {
		switch {
		case r == '\'':
			b.WriteString("''")
		case ascii.Printable(r):
			b.WriteRune(r)
		default:
			for _, unit := range utf16.Encode([]rune{r}) {
				fmt.Fprintf(&b, "'+[char]0x%04X+'", unit)
			}
		}
	}
	b.WriteByte('\'')
	return b.String()
}

// quoteNushell returns a double-quoted string with escaped control characters.
func quoteNushell(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case ascii.Control(r):
			fmt.Fprintf(&b, `\u{%x}`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// quoteSystemd quotes for EnvironmentFile= (systemd.exec(5)): in double quotes
// a backslash escapes these four characters.
func quoteSystemd(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "`", "\\`", `$`, `\$`).Replace(s) + `"`
}

// quoteJSON returns a JSON string without HTML escapes.
func quoteJSON(s string) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil {
		panic(err) // cannot happen for a string
	}
	return strings.TrimSuffix(b.String(), "\n")
}
