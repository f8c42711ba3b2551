package suggest_test

import (
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/mcp-login/mcp-login/internal/suggest"
	"github.com/mcp-login/mcp-login/internal/suggest/suggesttest"
	"github.com/mcp-login/mcp-login/internal/terminal"
)

// FuzzSuggestion: every suggested command is one line of printable text that a
// POSIX shell parses into exactly the intended words.
func FuzzSuggestion(f *testing.F) {
	for _, seed := range []string{"a", "", "it's", "~root", "=ls", "$(id)", "`id`", "a\nb", "a\x1bb", "-x", "#", "!x", "%self", "日本", "a\u202eb", "[::1]", "###a::add-mask"} {
		f.Add(seed, "x y")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		words := []string{"mcp-login", a, b, a + b}
		line := suggest.MCPLogin(a, b).With(a + b).String()
		var shown strings.Builder
		d := terminal.NewDisplay(&shown, true)
		if _, err := io.WriteString(d, "hint: "+line+"\n"); err != nil || shown.String() != "hint: "+line+"\n" {
			t.Errorf("%q, in CI %q, %v", line, shown.String(), err)
		}
		if got := suggesttest.Words(t, line); !slices.Equal(got, suggesttest.Pasted(words)) {
			t.Errorf("%q is shown as %q, which is parsed as %q", words, line, got)
		}
	})
}

// TestShellsParseSuggestions: real shells parse the suggested commands, alone and
// within eval "$(...)".
func TestShellsParseSuggestions(t *testing.T) {
	for _, shell := range []string{"dash", "bash", "zsh", "sh"} {
		path, err := exec.LookPath(shell)
		if err != nil {
			continue // the others are parsed
		}
		line := append(suggest.Command{"printf", "%s\\n", "-"}, suggesttest.HostileWords()...)
		want := strings.Join(suggesttest.Pasted(line[2:]), "\n") + "\n"
		for _, script := range []string{line.String(), `printf '%s\n' "$(` + line.String() + `)"`, suggest.Eval(suggest.Command{"printf", "%s", line.String()})} {
			cmd := exec.Command(path, "-c", script)
			cmd.Dir = t.TempDir()
			cmd.Env = []string{"PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8", "HOME=/nowhere"}
			got, err := cmd.CombinedOutput()
			if err != nil || string(got) != want {
				t.Errorf("%s parses %s\nas   %q\nwant %q, %v", shell, script, got, want, err)
			}
		}
	}
}
