package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/mcp-login/mcp-login/internal/printable"
)

// encodeJSON encodes v as JSON that is safe to show on a terminal and in a CI
// log: it escapes what could control them, and every JSON parser turns that back.
// URLs stay readable.
func encodeJSON(v any, indent string) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", indent)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return []byte(inertJSON(b.String())), nil
}

// inertJSON is inert for JSON. Everything that needs an escape is in a string.
func inertJSON(text string) string {
	return inert(text, func(r rune) string {
		var b strings.Builder
		for _, unit := range utf16.AppendRune(nil, r) {
			fmt.Fprintf(&b, `\u%04x`, unit)
		}
		return b.String()
	})
}

// inert escapes every character that is neither printable nor a line break;
// encoding/json escapes only ASCII control characters. It also splits what can
// start a command anywhere in a line of a CI log: "##" (Azure, TeamCity) and
// "::add-mask" (GitLab); see ci.Escape.
func inert(text string, escape func(rune) string) string {
	var b strings.Builder
	for rest := text; rest != ""; {
		r, size := utf8.DecodeRuneInString(rest)
		switch {
		case strings.HasPrefix(rest, "##"), strings.HasPrefix(rest, "::add-mask"):
			size = 2
			b.WriteString(rest[:1] + escape(rune(rest[1])))
		case r == '\n', printable.Rune(r):
			b.WriteString(rest[:size])
		default:
			b.WriteString(escape(r))
		}
		rest = rest[size:]
	}
	return b.String()
}

// answerJSON prints one JSON value on one line.
func (e *env) answerJSON(v any) error {
	text, err := encodeJSON(v, "")
	if err != nil {
		return err
	}
	return e.answerData(text)
}
