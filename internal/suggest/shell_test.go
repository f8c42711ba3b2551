package suggest_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/mcp-login/mcp-login/internal/suggest"
	"github.com/mcp-login/mcp-login/internal/suggest/suggesttest"
)

// TestQuoteForWindows: quoted words are parsed alike by PowerShell and cmd.exe, if
// possible.
func TestQuoteForWindows(t *testing.T) {
	for word, want := range map[string]string{
		"notion": "notion", "--store": "--store", `file:C:\store`: `file:C:\store`, "https://mcp.example/mcp": "https://mcp.example/mcp",
		`C:\Program Files\x`: `"C:\Program Files\x"`, "a&b": `"a&b"`, "a^b|c": `"a^b|c"`, "it's": `"it's"`, "a,b": `"a,b"`, "日本": `"日本"`, "@x": `"@x"`,
		"--var.x": `"--var.x"`, "a=b": `"a=b"`, "": "''", `C:\a b\`: `'C:\a b\'`, "$HOME": "'$HOME'", "100%": "'100%'", "a`b": "'a`b'", "“x”": "'“x”'",
		"it’s $5": "'it’’s $5'", "a\nb": suggest.Unknown,
	} {
		for _, shell := range []string{"powershell", "cmd"} {
			if got := (suggest.Command{word}).For(shell); got != want {
				t.Errorf("%q for %s is %s, want %s", word, shell, got, want)
			}
		}
	}
}

// TestPowerShellParsesSuggestions: PowerShell parses a suggested command into its
// words.
func TestPowerShellParsesSuggestions(t *testing.T) {
	words := suggesttest.HostileWords()
	got := powerShellWords(t, suggest.Command(words).For("powershell"))
	if want := suggesttest.Pasted(words); !slices.Equal(got, want) {
		t.Errorf("the words are parsed as\n%q, want\n%q", got, want)
	}
}

// powerShellWords splits a line like PowerShell (about_Parsing,
// about_Quoting_Rules). It fails if PowerShell would interpret any part of it.
func powerShellWords(t *testing.T, line string) (words []string) {
	t.Helper()
	const single, double = "'‘’‚‛", "\"“”„"
	var word []rune
	quote, inWord := "", false
	runes := []rune(line)
	for i := 0; i < len(runes); i++ {
		r := runes[i]
		switch {
		case quote != "" && strings.ContainsRune(quote, r):
			if i+1 < len(runes) && strings.ContainsRune(quote, runes[i+1]) {
				word = append(word, r)
				i++
			} else if quote = ""; i+1 < len(runes) && runes[i+1] != ' ' {
				t.Fatalf("%s: text follows a quotation mark", string(runes[:i+2]))
			}
		case quote == double && strings.ContainsRune("$`", r):
			t.Fatalf("%s: PowerShell interprets %q", line, r)
		case quote != "":
			word = append(word, r)
		case !inWord && strings.ContainsRune(single, r):
			quote, inWord = single, true
		case !inWord && strings.ContainsRune(double, r):
			quote, inWord = double, true
		case r == ' ':
			words, word, inWord = append(words, string(word)), nil, false
		case r > 0x7e || strings.ContainsRune("|&;<>(){}$`@#,'\"*?[]!%~=", r):
			t.Fatalf("%s: PowerShell interprets %q", line, r)
		default:
			word, inWord = append(word, r), true
		}
	}
	if quote != "" {
		t.Fatalf("%s: a quotation mark is missing", line)
	}
	return append(words, string(word))
}

// TestRunInEachShell: a suggested command is for the shell in use.
func TestRunInEachShell(t *testing.T) {
	for shell, want := range map[string]string{
		"sh":         `eval "$(mcp-login env a)"`,
		"fish":       "mcp-login env a --format fish | source",
		"powershell": "mcp-login env a --format powershell | Out-String | Invoke-Expression",
		"cmd":        `for /f "delims=" %i in ('mcp-login env a --format cmd') do @%i`,
		"tcsh":       "eval \"`mcp-login env a --format tcsh`\"",
		"elvish":     "eval (mcp-login env a --format elvish | slurp)",
		"nushell":    "mcp-login env a --format json | from json | load-env",
	} {
		if got := suggest.EvalIn(shell, suggest.MCPLogin("env", "a")); got != want {
			t.Errorf("%s: %s, want %s", shell, got, want)
		}
	}
	if got := suggest.Native("windows"); got != "powershell" {
		t.Errorf("the shell of Windows is %q", got)
	}
}
