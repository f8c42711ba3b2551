package main

import (
	"bytes"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/ci"
	"github.com/mcp-login/mcp-login/flows"
	"github.com/mcp-login/mcp-login/internal/confirmed"
	"github.com/mcp-login/mcp-login/internal/printable"
	"github.com/mcp-login/mcp-login/internal/suggest"
	"github.com/mcp-login/mcp-login/internal/terminal"
)

// posixWords splits a command line as a POSIX shell does (Shell Command
// Language §2.2, §2.6.5). It fails where a shell would do more than split: at
// an operator, an expansion or a pattern outside of quotes.
func posixWords(t *testing.T, line string) []string {
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
		case c <= ' ' || c > 0x7e || strings.IndexByte("|&;<>()$`\\\"*?[]#~{}!^", c) >= 0, c == '=' && !inWord:
			t.Fatalf("%q: a shell acts on %q", line, c)
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

// pasted are the words as they should arrive: one that cannot be shown is
// another.
func pasted(words []string) []string {
	want := slices.Clone(words)
	for i, word := range want {
		if !printable.Is(word) {
			want[i] = strings.Trim(suggest.Unknown, "'")
		}
	}
	return want
}

// FuzzSuggestion: every command that is suggested is printable text of one
// line, that a POSIX shell splits into the very words.
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
		if got := posixWords(t, line); !slices.Equal(got, pasted(words)) {
			t.Errorf("%q is shown as %q, which is read as %q", words, line, got)
		}
	})
}

// hostileWords are words on which some shell would act.
var hostileWords = append([]string{"", "it's", "'", "''", `\`, `\'`, `a\`, "$HOME", "${IFS}", "-n", "--", "!!", "!x", "^a^b", "a==b", "x=~", "if", "$'a'", "a#b", "#", "&", "|", "<x", "-", "日本 ✓", "[::1]", "@(a)", "+(a)", "%1", "a###b", "a::add-mask::b"},
	hostileNames...)

// TestShellsReadSuggestions has real shells read what is suggested, alone and
// within eval "$(...)".
func TestShellsReadSuggestions(t *testing.T) {
	for _, shell := range []string{"dash", "bash", "zsh", "sh"} {
		path, err := exec.LookPath(shell)
		if err != nil {
			continue // the others are read
		}
		line := append(suggest.Command{"printf", "%s\\n", "-"}, hostileWords...)
		want := strings.Join(pasted(line[2:]), "\n") + "\n"
		for _, script := range []string{line.String(), `printf '%s\n' "$(` + line.String() + `)"`, suggest.Eval(suggest.Command{"printf", "%s", line.String()})} {
			cmd := exec.Command(path, "-c", script)
			cmd.Dir = t.TempDir()
			cmd.Env = []string{"PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8", "HOME=/nowhere"}
			got, err := cmd.CombinedOutput()
			if err != nil || string(got) != want {
				t.Errorf("%s reads %s\nas   %q\nwant %q, %v", shell, script, got, want, err)
			}
		}
	}
}

// TestHintsReadBack: whatever a profile, a server or a scope is called, the
// command of a hint has its very words.
func TestHintsReadBack(t *testing.T) {
	const server = "https://mcp.test/~a;touch(PWNED)/$(id)/it's?a=`id`&b=!x*"
	for _, word := range hostileWords {
		flags := (&common{store: "file:" + word, caCert: word}).given()
		login := []string{"mcp-login", "login", word}
		for _, tt := range []struct {
			err  error
			want []string
		}{
			{&mcplogin.LoginRequiredError{Profile: word, Server: server}, slices.Concat(login, []string{server}, flags)},
			{&mcplogin.LoginRequiredError{Profile: word}, slices.Concat(login, []string{"URL"}, flags)},
			{&mcplogin.LoginRequiredError{Profile: word, Server: word}, slices.Concat(login, []string{"URL"}, flags)},
			{&mcplogin.InsufficientScopeError{Profile: word, Scopes: []string{word, word}}, slices.Concat(login, []string{"URL"}, flags, []string{"--add-scope", word + " " + word})},
			{&mcplogin.InsufficientScopeError{Profile: word}, slices.Concat(login, []string{"URL"}, flags)},
			{&mcplogin.IssuerChangedError{Profile: word}, slices.Concat(login, []string{"URL"}, flags, []string{"--accept-new-issuer"})},
			{&mcplogin.ServerChangedError{Profile: word, Given: server}, slices.Concat(login, []string{server}, flags, []string{"--force"})},
			{&mcplogin.UnnamedIssuerError{Profile: word, Server: server, Issuer: server}, slices.Concat(login, []string{server}, flags, []string{"--issuer", server})},
			{
				&mcplogin.UnnamedIssuerError{Profile: word, Server: server, Issuer: server, Endpoints: mcplogin.Endpoints{Token: server, Registration: server}},
				slices.Concat(login, []string{server}, flags, []string{"--issuer", server, "--token-endpoint", server, "--registration-endpoint", server}),
			},
			{
				&unconfirmedError{demand: demand{confirmed.Demand{Profile: word, Server: server, Issuer: server, Flow: "jwt-bearer", Inputs: flows.Inputs{Assertion: "env:" + word}}}},
				slices.Concat(login, []string{server}, flags, []string{"--flow", "jwt-bearer", "--expect-issuer", server, "--assertion-from", "env:" + word}),
			},
			{&ownNameError{profile: word, flag: []string{"--prefix", "X"}}, slices.Concat([]string{"mcp-login", word, "--prefix", "X"}, flags)},
			{notHandedOn{errors.New("x"), []string{word, "b"}}, slices.Concat([]string{"mcp-login", "exec", word, "--also", "b"}, flags, []string{"--", "COMMAND"})},
		} {
			e, _, _ := testEnv(t)
			e.hint = flags
			_, hint := e.verdict(tt.err)
			hint, _, _ = strings.Cut(hint, "\n")
			_, command, _ := strings.Cut(hint, "mcp-login ")
			if got := posixWords(t, "mcp-login "+command); !slices.Equal(got, pasted(tt.want)) {
				t.Errorf("%T of %q: %s\nis read as %q\nwant       %q", tt.err, word, hint, got, pasted(tt.want))
			}
		}
	}
}

// TestSuggestedLinesReadBack is the same for the line that is suggested in the
// place of the one that was typed.
func TestSuggestedLinesReadBack(t *testing.T) {
	e, _, _ := testEnv(t)
	e.line = interpret(newApp(e).Commands, slices.Concat([]string{"env", "--ci", "--"}, hostileWords))
	_, ways, _ := strings.Cut(e.otherWays(notHandedOn{&ci.UnmaskedError{Provider: ci.CircleCI}, []string{"a"}}), "the token: ")
	want := slices.Concat([]string{"mcp-login", "env", "--ci", "--allow-unmasked", "--"}, hostileWords)
	if got := posixWords(t, ways); !slices.Equal(got, pasted(want)) {
		t.Errorf("read as %q\nwant    %q", got, pasted(want))
	}
	if !bytes.ContainsRune([]byte(ways), '?') {
		t.Errorf("what cannot be shown is in %q", ways)
	}
}
