package envexport

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf16"

	"github.com/mcp-login/mcp-login/internal/ascii"
)

// quoteSh quotes by POSIX 2.2.2: in single quotes nothing is special but the
// quote itself.
func quoteSh(s string) string {
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// quoteFish quotes for fish, where \\ and \' are escapes in single quotes.
func quoteFish(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + "'"
}

// quoteElvish doubles the quote, the only special character.
func quoteElvish(s string) string {
	return "'" + strings.ReplaceAll(s, "'", "''") + "'"
}

// quoteTcsh escapes what csh substitutes even in single quotes: the history
// character.
func quoteTcsh(s string) string {
	return "'" + strings.NewReplacer("'", `'\''`, "!", `\!`).Replace(s) + "'"
}

// quotePowerShell writes an expression in ASCII alone: Windows PowerShell
// reads a program's output in the console's code page, which would bend the
// rest. That also avoids U+2018 to U+201B, which PowerShell takes for quotes.
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

// quoteNushell writes a double-quoted string, with control characters escaped.
func quoteNushell(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < ' ' || r == unicode.MaxASCII:
			fmt.Fprintf(&b, `\u{%x}`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// quoteSystemd quotes as systemd.exec(5) says of EnvironmentFile=: in double
// quotes a backslash escapes these four.
func quoteSystemd(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "`", "\\`", `$`, `\$`).Replace(s) + `"`
}

// quoteJSON writes a JSON string without the escapes meant for HTML.
func quoteJSON(s string) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil {
		panic(err) // a string always encodes
	}
	return strings.TrimSuffix(b.String(), "\n")
}
