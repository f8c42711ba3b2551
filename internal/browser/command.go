package browser

import (
	"errors"
	"strings"
)

var errQuote = errors.New("unclosed quote")

// splitCommand splits a command line into words like a POSIX shell: quotes and
// backslashes group words, all other characters are literal.
func splitCommand(line string) ([]string, error) {
	var words []string
	var word strings.Builder
	inWord := false
	for i := 0; i < len(line); i++ {
		switch c := line[i]; c {
		case ' ', '\t', '\n', '\r':
			if inWord {
				words = append(words, word.String())
				word.Reset()
				inWord = false
			}
		case '\'', '"':
			text, n, err := quoted(line[i+1:], c)
			if err != nil {
				return nil, err
			}
			word.WriteString(text)
			inWord = true
			i += n
		case '\\':
			if i++; i == len(line) {
				return nil, errors.New("trailing backslash")
			}
			word.WriteByte(line[i])
			inWord = true
		default:
			word.WriteByte(c)
			inWord = true
		}
	}
	if inWord {
		words = append(words, word.String())
	}
	if len(words) == 0 || words[0] == "" {
		return nil, errors.New("it has no program name")
	}
	return words, nil
}

// quoted returns the text up to the closing quote and how much was read. In
// double quotes a backslash protects a quote and itself.
func quoted(s string, quote byte) (text string, n int, err error) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == quote:
			return b.String(), i + 1, nil
		case quote == '"' && s[i] == '\\' && i+1 < len(s) && strings.IndexByte("\"\\$`", s[i+1]) >= 0:
			i++
		}
		b.WriteByte(s[i])
	}
	return "", 0, errQuote
}
