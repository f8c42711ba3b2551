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

// encodeJSON writes v as JSON that may be shown on a terminal and in a CI's log:
// what could steer one of them stands as an escape sequence, which every reader
// of JSON turns back. URLs stay readable.
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

// inertJSON is inert for JSON, where all that is escaped can only be part of a
// string.
func inertJSON(text string) string {
	return inert(text, func(r rune) string {
		var b strings.Builder
		for _, unit := range utf16.AppendRune(nil, r) {
			fmt.Fprintf(&b, `\u%04x`, unit)
		}
		return b.String()
	})
}

// inert escapes what is not printable and does not end a line: package json does
// so with the controls of ASCII alone. In a log of Azure or TeamCity "##" begins
// a command anywhere in a line, in one of GitLab "::add-mask" may (see
// ci.Escape).
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

// answerJSON writes one JSON value on one line.
func (e *env) answerJSON(v any) error {
	text, err := encodeJSON(v, "")
	if err != nil {
		return err
	}
	return e.answerData(text)
}
