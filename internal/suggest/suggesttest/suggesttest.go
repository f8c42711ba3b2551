// Package suggesttest reads suggested commands as a shell does. It is for tests
// alone.
package suggesttest

import (
	"slices"
	"strings"
	"testing"

	"github.com/mcp-login/mcp-login/internal/ascii"
	"github.com/mcp-login/mcp-login/internal/printable"
	"github.com/mcp-login/mcp-login/internal/suggest"
)

// Words splits a command line like a POSIX shell (Shell Command Language §2.2,
// §2.6.5). It fails if a shell would interpret any part of it: an operator, an
// expansion or a pattern outside of quotes.
func Words(t testing.TB, line string) []string {
	t.Helper()
	var words []string
	var word strings.Builder
	open, inWord := false, false
	for i := 0; i < len(line); i++ {
		c := line[i]
		switch {
		case c == '\'':
			open, inWord = !open, true
		case open:
			word.WriteByte(c)
		case c == ' ':
			if inWord {
				words, inWord = append(words, word.String()), false
				word.Reset()
			}
		case c == '\\' && i+1 < len(line):
			i++
			inWord = true
			word.WriteByte(line[i])
		case !ascii.Visible(rune(c)) || strings.IndexByte("|&;<>()$`\\\"*?[]#~{}!^", c) >= 0, c == '=' && !inWord:
			t.Fatalf("%q: a shell interprets %q", line, c)
		default:
			inWord = true
			word.WriteByte(c)
		}
	}
	if open {
		t.Fatalf("%q: a quote is not closed", line)
	}
	if inWord {
		words = append(words, word.String())
	}
	return words
}

// Pasted returns the words that a command should have: an unprintable word is
// replaced.
func Pasted(words []string) []string {
	want := slices.Clone(words)
	for i, word := range want {
		if !printable.Is(word) {
			want[i] = strings.Trim(suggest.Unknown, "'")
		}
	}
	return want
}

// HostileNames returns names that try to run code, or look like a directive of the
// shell completion.
func HostileNames() []string {
	return []string{
		":command a[$(touch PWNED)0]", ":files", "f", "d", "c", "c 2", "a[$(touch PWNED)0]", "psvar[0$(touch PWNED)]",
		"$(touch PWNED)", "`touch PWNED`", "a b", "-x", "'", `"`, `a'"b`, `a\b`, "a;touch PWNED", "a:b", "=ls", "~root", "%self", "a!b", "{a,b}", "*",
		"a\nc\t2", "a\tb", "\x1b[31m", "a\rb", "\u009b31m", "a\u202eb", "a\u200bb",
	}
}

// HostileWords returns words that some shell would interpret.
func HostileWords() []string {
	return append([]string{"", "it's", "'", "''", `\`, `\'`, `a\`, "$HOME", "${IFS}", "-n", "--", "!!", "!x", "^a^b", "a==b", "x=~", "if", "$'a'", "a#b", "#", "&", "|", "<x", "-", "日本 ✓", "[::1]", "@(a)", "+(a)", "%1", "a###b", "a::add-mask::b"}, HostileNames()...)
}
