package main

import (
	"strings"

	"github.com/mcp-login/mcp-login/internal/printable"
)

// suggestion is a command that a person pastes into a POSIX shell. Its words
// are quoted when it is shown and not before, so that every command that is
// suggested anywhere is made of them.
type suggestion []string

// mcpLogin is a command of this program.
func mcpLogin(words ...string) suggestion { return append(suggestion{"mcp-login"}, words...) }

// with returns the command with more words.
func (c suggestion) with(words ...string) suggestion {
	return append(append(suggestion{}, c...), words...)
}

// String quotes the words. One that cannot be shown cannot be pasted either, so
// that unknownWord stands for it.
func (c suggestion) String() string {
	quoted := make([]string, len(c))
	for i, word := range c {
		if quoted[i] = quote(word); !printable.Is(word) {
			quoted[i] = unknownWord
		}
	}
	return strings.Join(quoted, " ")
}

// evalOf has a shell run what a command prints.
func evalOf(c suggestion) string { return `eval "$(` + c.String() + `)"` }

// unknownWord stands in the place of a word that is not printable.
const unknownWord = "'?'"

// quote makes any word safe in a POSIX shell. What stands bare means itself in
// zsh too, which expands a leading "=", and in fish, which expands "%self". What
// a CI's log would not show as it is (see ci.Escape) is written in two pieces.
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
