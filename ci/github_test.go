package ci_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"unicode"

	"github.com/mcp-login/mcp-login/ci"
)

// command is a workflow command as the runner parses it.
type command struct {
	Name  string
	Props map[string]string
	Data  string
}

// known are the runner's registered commands; all others are plain text.
var known = map[string]bool{
	"add-mask": true, "add-matcher": true, "add-path": true, "debug": true, "echo": true, "endgroup": true, "error": true, "group": true,
	"notice": true, "remove-matcher": true, "save-state": true, "set-env": true, "set-output": true, "stop-commands": true, "warning": true,
}

// parseGitHubCommand parses one line of a step's output by the runner's rules:
// first ::name k=v,k=v::data at the start of the line, then the older ##[name
// k=v;k=v]data anywhere in it.
func parseGitHubCommand(line string) (command, bool) {
	if c, ok := parseCommandV2(line); ok {
		return c, true
	}
	_, rest, found := strings.Cut(line, "##[")
	info, data, closed := strings.Cut(rest, "]")
	if !found || !closed {
		return command{}, false
	}
	name, props, _ := strings.Cut(info, " ")
	undo := strings.NewReplacer("%3B", ";", "%0D", "\r", "%0A", "\n", "%5D", "]", "%25", "%")
	return command{name, properties(props, ";", undo), undo.Replace(data)}, known[name]
}

func parseCommandV2(line string) (command, bool) {
	rest, found := strings.CutPrefix(strings.TrimLeftFunc(line, unicode.IsSpace), "::")
	info, data, closed := strings.Cut(rest, "::")
	if !found || !closed {
		return command{}, false
	}
	name, props, _ := strings.Cut(info, " ")
	undoProperty := strings.NewReplacer("%0D", "\r", "%0A", "\n", "%3A", ":", "%2C", ",", "%25", "%")
	undoData := strings.NewReplacer("%0D", "\r", "%0A", "\n", "%25", "%")
	return command{name, properties(props, ",", undoProperty), undoData.Replace(data)}, known[name]
}

func properties(text, separator string, undo *strings.Replacer) map[string]string {
	props := map[string]string{}
	for pair := range strings.SplitSeq(strings.TrimSpace(text), separator) {
		if name, value, ok := strings.Cut(pair, "="); ok && value != "" {
			props[name] = undo.Replace(value)
		}
	}
	return props
}

// parseEnvFile parses $GITHUB_ENV by the runner's rules.
func parseEnvFile(text string) (map[string]string, error) {
	env := map[string]string{}
	for text != "" {
		var line string
		line, text, _ = strings.Cut(text, "\n")
		equals, heredoc := strings.Index(line, "="), strings.Index(line, "<<")
		switch {
		case line == "":
		case equals >= 0 && (heredoc < 0 || equals < heredoc):
			env[line[:equals]] = line[equals+1:]
		case heredoc >= 0:
			value, rest, err := cutAtLine(text, line[heredoc+2:])
			if err != nil {
				return nil, err
			}
			env[line[:heredoc]], text = value, rest
		default:
			return nil, fmt.Errorf("invalid line %q", line)
		}
	}
	return env, nil
}

// cutAtLine returns the text before and after the first line that equals end.
func cutAtLine(text, end string) (before, after string, err error) {
	var lines []string
	for text != "" {
		var line string
		line, text, _ = strings.Cut(text, "\n")
		if line == end {
			return strings.Join(lines, "\n"), text, nil
		}
		lines = append(lines, line)
	}
	return "", "", fmt.Errorf("delimiter %q not found", end)
}

func TestGitHubExportIsParsedBack(t *testing.T) {
	for _, value := range []string{
		"", "simple", "a=b", "a<<EOF", "one\ntwo", "one\n\n", "\n", "A<<x\nB\nx", "'\"$(id)`%25", "mcp_login_", "tab\tend\r", "ü€😀",
	} {
		w := newFakeJob(t, ci.GitHub)
		if err := w.Export(t.Context(), []ci.Var{plain("FIRST", value), plain("LAST", "end")}); err != nil {
			t.Fatal(err)
		}
		got, err := parseEnvFile(w.file(t, "GITHUB_ENV"))
		want := map[string]string{"FIRST": value, "LAST": "end"}
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("the runner reads %q, %v, want %q", got, err, want)
		}
		if w.output() != "" {
			t.Errorf("output %q, want none", w.output())
		}
	}
}

func TestGitHubMaskIsFirstAndOnlyInTheLog(t *testing.T) {
	w := newFakeJob(t, ci.GitHub)
	if err := w.Export(t.Context(), []ci.Var{secret("MCP_A_AUTHORIZATION", "Bearer tok~1")}); err != nil {
		t.Fatal(err)
	}
	if got, want := w.log.String(), "::add-mask::Bearer tok~1\n::add-mask::tok~1\n"; got != want {
		t.Errorf("standard error = %q, want %q", got, want)
	}
	if got := w.file(t, "GITHUB_ENV"); strings.Contains(got, "add-mask") {
		t.Errorf("GITHUB_ENV = %q contains a mask", got)
	}
}

func FuzzGitHub(f *testing.F) {
	f.Add("tok", "title", "text")
	f.Add("a\nB<<C\nx\nC", "a,b:c=d::x", "::error::x\n##[add-mask]y")
	f.Add("%0A%25\r\n::stop-commands::z", "##[set-env name=A]b", "\u2028::set-env name=A::b")
	f.Fuzz(func(t *testing.T, value, title, text string) {
		w := newFakeJob(t, ci.GitHub)
		note := ci.Note{Title: title, Text: text, URL: "https://as.example/device?user_code=A-B"}
		if err := w.Announce(t.Context(), note); err != nil {
			t.Fatal(err)
		}
		checkNotice(t, w.log.String(), title, text)
		w.log.Reset()

		if err := w.Export(t.Context(), []ci.Var{secret("A", value), plain("B", "end")}); err != nil {
			return // not text: rejected, see TestReservedNamesAndValues
		}
		got, err := parseEnvFile(w.file(t, "GITHUB_ENV"))
		if want := map[string]string{"A": value, "B": "end"}; err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("the runner reads %q, %v, want %q", got, err, want)
		}
		masked := map[string]bool{}
		for line := range strings.Lines(w.log.String()) {
			c, ok := parseGitHubCommand(strings.TrimSuffix(line, "\n"))
			if !ok || c.Name != "add-mask" {
				t.Errorf("%q is not a mask: %+v", line, c)
			}
			masked[c.Data] = true
		}
		for line := range strings.FieldsFuncSeq(value, func(r rune) bool { return r == '\n' || r == '\r' }) {
			if !masked[line] && strings.TrimSpace(line) != "" {
				t.Errorf("%q is not masked by %q", line, w.log.String())
			}
		}
	})
}

// checkNotice checks that the output is exactly one notice with this title and
// text.
func checkNotice(t *testing.T, output, title, text string) {
	t.Helper()
	line := strings.TrimSuffix(output, "\n")
	c, ok := parseGitHubCommand(line)
	if strings.ContainsAny(line, "\r\n") || !ok || c.Name != "notice" {
		t.Fatalf("%q is not one notice: %+v", output, c)
	}
	if c.Props["title"] != ci.Escape(title) || len(c.Props) > 1 {
		t.Errorf("properties = %q, want only the title %q", c.Props, ci.Escape(title))
	}
	if !strings.HasSuffix(c.Data, "https://as.example/device?user_code=A-B") {
		t.Errorf("data = %q, want the address last", c.Data)
	}
	for shown := range strings.SplitSeq(c.Data, "\n") {
		if inner, ok := parseGitHubCommand(shown); ok {
			t.Errorf("the runner would read %q of %q as %+v", shown, text, inner)
		}
	}
}
