package terminal

import (
	"strings"
	"unicode/utf8"
)

// fold breaks a line at spaces into lines of at most cols columns; 0: as long as it is.
// The first keeps its beginning of indent columns, and the others are indented by as
// much. A word that is longer stays whole, and so does a command up to a comma: both can
// be copied.
func fold(s string, indent, cols int) []string {
	if cols <= 0 || width(s) <= cols {
		return []string{s}
	}
	cur := leading(s, indent)
	lines, bare := []string(nil), true
	for _, word := range foldable(s[len(cur):]) {
		switch {
		case bare:
			cur += word
		case width(cur)+1+width(word) > cols:
			lines, cur = append(lines, cur), strings.Repeat(" ", indent)+word
		default:
			cur += " " + word
		}
		bare = false
	}
	return append(lines, cur)
}

// leading returns the beginning of a text: n characters, or all of them.
func leading(s string, n int) string {
	end := 0
	for range min(n, utf8.RuneCountInString(s)) {
		_, size := utf8.DecodeRuneInString(s[end:])
		end += size
	}
	return s[:end]
}

// foldable returns the words of a text, with a command in it as one.
func foldable(s string) []string {
	prose, command, found := strings.Cut(s, " mcp-login ")
	if !found {
		return strings.Fields(s)
	}
	command, rest, more := strings.Cut(command, ", ")
	words := append(strings.Fields(prose), "mcp-login "+command)
	if more {
		words[len(words)-1] += ","
	}
	return append(words, strings.Fields(rest)...)
}
