package terminal

import (
	"strings"
	"unicode/utf8"
)

// Wrap breaks a text at spaces into lines of at most cols columns. It breaks a
// word that is longer than a line.
func Wrap(s string, cols int) []string {
	var words []string
	for word := range strings.FieldsSeq(s) {
		words = append(words, cut(word, cols)...)
	}
	return fill(words, cols)
}

// fold breaks a line at spaces into lines of at most cols columns; 0: as long as it is.
// The first keeps its beginning of indent columns, and the others are indented by as
// much. A word that is longer stays whole, and so does a command up to a comma: both can
// be copied. One that fits only with less indentation gets that, below the beginning.
func fold(s string, indent, cols int) []string {
	if cols <= 0 || width(s) <= max(cols, indent) {
		return []string{s}
	}
	begin := leading(s, indent)
	words := foldable(s[len(begin):])
	if n := widest(words); n > cols-indent && n <= cols-narrow && narrow < indent {
		lines := fill(words, cols-narrow)
		for i := range lines {
			lines[i] = strings.Repeat(" ", narrow) + lines[i]
		}
		if begin = strings.TrimRight(begin, " "); begin != "" {
			lines = append([]string{begin}, lines...)
		}
		return lines
	}
	lines := fill(words, cols-indent)
	for i := range lines {
		lines[i] = begin + lines[i]
		begin = strings.Repeat(" ", indent)
	}
	return lines
}

// narrow is the indentation below a beginning that leaves too little space beside it.
const narrow = 4

// widest returns the width of the widest word.
func widest(words []string) (n int) {
	for _, word := range words {
		n = max(n, width(word))
	}
	return n
}

// fill joins words to lines of at most cols columns. A word that is longer is a line.
func fill(words []string, cols int) (lines []string) {
	for _, word := range words {
		if last := len(lines) - 1; last >= 0 && width(lines[last])+1+width(word) <= cols {
			lines[last] += " " + word
		} else {
			lines = append(lines, word)
		}
	}
	return lines
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
