// Package printable decides which characters of a text may be shown to a
// person. It knows nothing of streams, of CI systems or of OAuth.
package printable

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Rune reports whether a character takes room, leaves its neighbors where they
// are and steers no terminal: no control, bidi, zero-width or other invisible
// character (Default_Ignorable_Code_Point of Unicode), no line separator, and
// not the replacement of what is no UTF-8.
func Rune(r rune) bool {
	return r != utf8.RuneError && unicode.IsGraphic(r) &&
		!unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// Is reports whether every character of s is printable.
func Is(s string) bool { return !strings.ContainsFunc(s, func(r rune) bool { return !Rune(r) }) }

// Line returns s as one line: white space that is not printable becomes a
// space, everything else that is not printable is dropped.
func Line(s string) string { return strings.Map(clean, s) }

// Text is Line for a text of several lines, each of which ends with "\n".
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
