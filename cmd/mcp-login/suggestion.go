package main

import (
	"strings"

	"github.com/mcp-login/mcp-login/internal/printable"
)

// suggestion is a command for a person to paste into a POSIX shell, as unquoted
// words. Printing it quotes them, so that no hint can forget to.
type suggestion []string

// mcpLogin returns a command line of this program.
func mcpLogin(words ...string) suggestion { return append(suggestion{"mcp-login"}, words...) }

// with returns the command with more words at its end.
func (c suggestion) with(words ...string) suggestion {
	return append(append(suggestion{}, c...), words...)
}

// String returns the command with each word quoted. It replaces a word that
// cannot be shown, and so cannot be pasted, by unknownWord.
func (c suggestion) String() string {
	quoted := make([]string, len(c))
	for i, word := range c {
		if quoted[i] = quote(word); !printable.Is(word) {
			quoted[i] = unknownWord
		}
	}
	return strings.Join(quoted, " ")
}

// evalOf returns a shell command that runs the output of c.
func evalOf(c suggestion) string { return `eval "$(` + c.String() + `)"` }

// unknownWord replaces a word with unprintable characters.
const unknownWord = "'?'"

// quote quotes any word for a POSIX shell. A word that it leaves as it is also
// means itself in zsh, which expands a leading "=", and in fish, which expands
// "%self". It splits what ci.Escape would change, so that a CI log shows a
// command that still works.
func quote(word string) string {
	special := func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:@%+,=", r))
	}
	bare := word != "" && !strings.ContainsFunc(word, special)
	if bare && strings.IndexByte("=%@:,+", word[0]) < 0 && !strings.Contains(word, "::add-mask") {
		return word
	}
	return "'" + strings.NewReplacer("'", `'\''`, "##", `#'\#'`, "::add-mask", `:'\:'add-mask`).Replace(word) + "'"
}
