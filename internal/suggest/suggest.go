// Package suggest writes commands for the user to paste. It quotes every word,
// so that no hint can forget to. It must not know which commands exist, or when
// one helps.
package suggest

import (
	"runtime"
	"strings"

	"github.com/mcp-login/mcp-login/internal/ascii"
	"github.com/mcp-login/mcp-login/internal/printable"
)

// Command is a command for the user to paste into a shell, as unquoted words.
// Printing it quotes them for the shells of this system.
type Command []string

// MCPLogin returns a command line of this program.
func MCPLogin(words ...string) Command { return append(Command{"mcp-login"}, words...) }

// With returns the command with more words at its end.
func (c Command) With(words ...string) Command {
	return append(append(Command{}, c...), words...)
}

// String returns the command with each word quoted. It replaces a word that
// cannot be shown, and so cannot be pasted, by Unknown.
func (c Command) String() string { return c.For(Native(runtime.GOOS)) }

// For returns the command as String does, for the shell with this name.
func (c Command) For(shell string) string {
	quoted := make([]string, len(c))
	for i, word := range c {
		if quoted[i] = quoteFor(shell, word); !printable.Is(word) {
			quoted[i] = Unknown
		}
	}
	return strings.Join(quoted, " ")
}

// Unknown replaces a word with unprintable characters.
const Unknown = "'?'"

// Quote quotes any word for a POSIX shell. A word that it leaves as it is also
// means itself in zsh, which expands a leading "=", and in fish, which expands
// "%self". It splits what ci.Escape would change, so that a CI log shows a
// command that still works.
func Quote(word string) string {
	plain := func(r rune) bool { return ascii.Alphanumeric(r) || strings.ContainsRune("-_./:@%+,=", r) }
	bare := word != "" && ascii.Only(word, plain)
	if bare && strings.IndexByte("=%@:,+", word[0]) < 0 && !strings.Contains(word, "::add-mask") {
		return word
	}
	return "'" + strings.NewReplacer("'", `'\''`, "##", `#'\#'`, "::add-mask", `:'\:'add-mask`).Replace(word) + "'"
}
