// Package shellscript has the scripts with which a shell completes commands and
// refreshes expiring variables. It must not know the commands, the stores or the
// configuration: the scripts call mcp-login for all of that.
package shellscript

import (
	"embed"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mcp-login/mcp-login/internal/suggest"
)

//go:embed text
var texts embed.FS

// CompletionShells returns the shells for which there is a completion script.
func CompletionShells() []string { return []string{"bash", "zsh", "fish", "powershell"} }

// HookShells returns the shells for which there is a hook: those that have a
// clock and run something before a prompt.
func HookShells() []string { return []string{"bash", "zsh", "fish"} }

// Completion returns the script that makes a shell complete, and false if there
// is none.
func Completion(shell string) (script []byte, ok bool) {
	if shell == "pwsh" {
		shell = "powershell"
	}
	if !slices.Contains(CompletionShells(), shell) {
		return nil, false
	}
	return read("completion." + strings.Replace(shell, "powershell", "ps1", 1)), true
}

// Hook returns the script that refreshes variables which expire within margin,
// and false if there is none. The script passes flags to mcp-login.
func Hook(shell string, margin time.Duration, flags []string) (script []byte, ok bool) {
	if !slices.Contains(HookShells(), shell) {
		return nil, false
	}
	var words strings.Builder
	for _, word := range flags {
		words.WriteString(" " + quote(shell, word))
	}
	seconds := strconv.Itoa(int((margin + time.Second - 1) / time.Second))
	return []byte(strings.NewReplacer("@MARGIN@", seconds, " @FLAGS@", words.String()).Replace(string(read("hook." + shell)))), true
}

func read(name string) []byte {
	script, err := texts.ReadFile("text/" + name)
	if err != nil {
		panic(err) // it is embedded
	}
	return script
}

// quote quotes a word for a shell. fish knows escapes in single quotes.
func quote(shell, word string) string {
	if shell == "fish" && strings.Contains(word, `\`) {
		return "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(word) + "'"
	}
	return suggest.Quote(word)
}
