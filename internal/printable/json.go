package printable

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// JSON encodes v as JSON that is safe to show on a terminal and in a CI
// log: it escapes what could control them, and every JSON parser turns that back.
// URLs stay readable.
func JSON(v any, indent string) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", indent)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return []byte(JSONText(b.String())), nil
}

// JSONText escapes JSON in the same way. Everything that needs an escape is in a
// string.
func JSONText(text string) string {
	return Escape(text, func(r rune) string {
		var b strings.Builder
		for _, unit := range utf16.AppendRune(nil, r) {
			fmt.Fprintf(&b, `\u%04x`, unit)
		}
		return b.String()
	})
}

// Escape escapes every character that is neither printable nor a line break;
// encoding/json escapes only ASCII control characters. It also splits what can
// start a command anywhere in a line of a CI log: "##" (Azure, TeamCity) and
// "::add-mask" (GitLab); see ci.Escape.
func Escape(text string, escape func(rune) string) string {
	var b strings.Builder
	for rest := text; rest != ""; {
		r, size := utf8.DecodeRuneInString(rest)
		switch {
		case strings.HasPrefix(rest, "##"), strings.HasPrefix(rest, "::add-mask"):
			size = 2
			b.WriteString(rest[:1] + escape(rune(rest[1])))
		case r == '\n', Rune(r):
			b.WriteString(rest[:size])
		default:
			b.WriteString(escape(r))
		}
		rest = rest[size:]
	}
	return b.String()
}
