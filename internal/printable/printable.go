// Package printable decides which characters of a text are safe to display, and
// formats durations. It must not know about streams, CI systems or OAuth.
package printable

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Rune reports whether a character is visible and affects nothing but itself. It
// rejects control, bidi and zero-width characters, other invisible ones (Unicode's
// Default_Ignorable_Code_Point), line separators, and U+FFFD, which stands for
// invalid UTF-8.
func Rune(r rune) bool {
	return r != utf8.RuneError && unicode.IsGraphic(r) &&
		!unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// Is reports whether every character of s is printable.
func Is(s string) bool { return !strings.ContainsFunc(s, func(r rune) bool { return !Rune(r) }) }

// Line returns s as one line: unprintable white space, such as a tab, becomes a
// space; other unprintable characters are dropped.
func Line(s string) string { return strings.Map(clean, s) }

// Text is Line for text of several lines. It keeps "\n".
func Text(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' {
			return r
		}
		return clean(r)
	}, s)
}

func clean(r rune) rune {
	switch {
	case Rune(r):
		return r
	case unicode.IsSpace(r):
		return ' '
	}
	return -1
}
