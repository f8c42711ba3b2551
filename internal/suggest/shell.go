package suggest

import (
	"runtime"
	"strings"

	"github.com/mcp-login/mcp-login/internal/ascii"
)

// Native returns the default shell of a system.
func Native(goos string) string {
	if goos == "windows" {
		return "powershell"
	}
	return "sh"
}

// Eval returns a command that runs the output of c in the native shell.
func Eval(c Command) string { return EvalIn(Native(runtime.GOOS), c) }

// EvalIn returns a command that runs the output of c in the shell in use, by the
// name of its format, and passes the format to c. For a shell that cannot it
// returns c, which prints the text to run.
func EvalIn(shell string, c Command) string {
	if shell == "nushell" {
		return c.With("--format", "json").For(shell) + " | from json | load-env"
	}
	if shell != "sh" {
		c = c.With("--format", shell)
	}
	return Source(shell, c)
}

// Source returns a command that runs the output of c in a shell.
func Source(shell string, c Command) string {
	line := c.For(shell)
	switch shell {
	case "sh", "bash", "zsh":
		return `eval "$(` + line + `)"`
	case "fish":
		return line + " | source"
	case "powershell":
		return line + " | Out-String | Invoke-Expression"
	case "cmd":
		return `for /f "delims=" %i in ('` + line + `') do @%i`
	case "elvish":
		return "eval (" + line + " | slurp)"
	case "tcsh":
		return "eval \"`" + line + "`\""
	}
	return line
}

// Assign returns a command that sets a variable of the native shell to the
// output of c.
func Assign(name string, c Command) string { return assignIn(Native(runtime.GOOS), name, c) }

func assignIn(shell, name string, c Command) string {
	if shell == "powershell" {
		return "$" + name + " = " + c.For(shell)
	}
	return name + "=$(" + c.For(shell) + ")"
}

// Export returns a command that sets an environment variable in the native shell.
func Export(name, value string) string { return exportIn(Native(runtime.GOOS), name, value) }

func exportIn(shell, name, value string) string {
	if shell == "powershell" {
		return "$env:" + name + " = " + quotePowerShell(value)
	}
	return "export " + name + "=" + Quote(value)
}

// Private returns a command that writes the output of c to a file that only this
// user can read.
func Private(c Command, file string) string { return privateIn(Native(runtime.GOOS), c, file) }

func privateIn(shell string, c Command, file string) string {
	if shell == "powershell" { // a new file inherits the ACL of its folder
		return c.For(shell) + " | Set-Content " + quoteWindows(file)
	}
	return "(umask 077; " + c.For(shell) + " > " + Quote(file) + ")"
}

// quoteFor quotes a word for a shell.
func quoteFor(shell, word string) string {
	if shell == "powershell" || shell == "cmd" {
		return quoteWindows(word)
	}
	return Quote(word)
}

// quoteWindows quotes a word for both PowerShell and cmd.exe if possible, else
// for PowerShell (7.3 or later if the word contains a "). PowerShell splits an
// unquoted word that begins with - at a dot, and interprets typographic
// quotation marks.
func quoteWindows(word string) string {
	bare := func(r rune) bool {
		return ascii.Alphanumeric(r) || strings.ContainsRune(`-_./:\`, r)
	}
	switch {
	case word == "" || strings.ContainsAny(word, "\"$`%!“”„"), strings.HasSuffix(word, `\`):
		return quotePowerShell(word)
	case strings.ContainsFunc(word, func(r rune) bool { return !bare(r) }), word[0] == '-' && strings.ContainsAny(word, ".:"):
		return `"` + word + `"`
	}
	return word
}

// quotePowerShell quotes a word for PowerShell, where four characters are a
// single quotation mark.
func quotePowerShell(word string) string {
	return "'" + strings.NewReplacer("'", "''", "‘", "‘‘", "’", "’’", "‚", "‚‚", "‛", "‛‛").Replace(word) + "'"
}
