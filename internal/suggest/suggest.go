// Package suggest writes commands for a person to paste. It quotes every word,
// so that no hint can forget to. It does not know which commands exist, or when
// one helps.
package suggest

import (
	"strings"

	"github.com/mcp-login/mcp-login/internal/printable"
)

// Command is a command for a person to paste into a POSIX shell, as unquoted
// words. Printing it quotes them.
type Command []string

// MCPLogin returns a command line of this program.
func MCPLogin(words ...string) Command { return append(Command{"mcp-login"}, words...) }

// With returns the command with more words at its end.
func (c Command) With(words ...string) Command {
	return append(append(Command{}, c...), words...)
}

// String returns the command with each word quoted. It replaces a word that
// cannot be shown, and so cannot be pasted, by Unknown.
func (c Command) String() string {
	quoted := make([]string, len(c))
	for i, word := range c {
		if quoted[i] = Quote(word); !printable.Is(word) {
			quoted[i] = Unknown
		}
	}
	return strings.Join(quoted, " ")
}

// Eval returns a shell command that runs the output of c.
func Eval(c Command) string { return `eval "$(` + c.String() + `)"` }

// EvalIn returns a command that runs the output of c in the shell in use, by the
// name of its format: "sh", "fish", "powershell", "elvish" or "tcsh". It tells c
// the format. For any other shell it returns c, which prints the text to run.
func EvalIn(shell string, c Command) string {
	if shell != "sh" {
		c = c.With("--format", shell)
	}
	switch shell {
	case "sh":
		return Eval(c)
	case "fish":
		return c.String() + " | source"
	case "powershell":
		return c.String() + " | Out-String | Invoke-Expression"
	case "elvish":
		return "eval (" + c.String() + " | slurp)"
	case "tcsh":
		return "eval \"`" + c.String() + "`\""
	}
	return c.String()
}

// Unknown replaces a word with unprintable characters.
const Unknown = "'?'"

// Quote quotes any word for a POSIX shell. A word that it leaves as it is also
// means itself in zsh, which expands a leading "=", and in fish, which expands
// "%self". It splits what ci.Escape would change, so that a CI log shows a
// command that still works.
func Quote(word string) string {
	special := func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:@%+,=", r))
	}
	bare := word != "" && !strings.ContainsFunc(word, special)
	if bare && strings.IndexByte("=%@:,+", word[0]) < 0 && !strings.Contains(word, "::add-mask") {
		return word
	}
	return "'" + strings.NewReplacer("'", `'\''`, "##", `#'\#'`, "::add-mask", `:'\:'add-mask`).Replace(word) + "'"
}
