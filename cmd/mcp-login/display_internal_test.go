package main

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/mcp-login/mcp-login/internal/exit"
	"github.com/mcp-login/mcp-login/internal/printable"
	"github.com/mcp-login/mcp-login/internal/suggest"
	"github.com/mcp-login/mcp-login/internal/terminal/terminaltest"
)

// FuzzJSON: JSON output controls neither a terminal nor a log, and round-trips.
func FuzzJSON(f *testing.F) {
	for _, seed := range []string{"\x1b\x7f\u009b", "a\u202eb", "\U000e0041", "##vso[x]###", "::add-mask::x", "https://a/?b=c&d=<e>", "\u2028"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		want := map[string]string{"a": strings.ToValidUTF8(text, "\ufffd"), strings.ToValidUTF8(text, "\ufffd"): "b"}
		got, err := printable.JSON(want, "  ")
		if err != nil {
			t.Fatal(err)
		}
		if terminaltest.Steers(string(got)) || terminaltest.MayCommand(string(got)) {
			t.Errorf("%q as JSON is %q", text, got)
		}
		var again map[string]string
		if err := json.Unmarshal(got, &again); err != nil || len(again) != len(want) {
			t.Fatalf("%q as JSON is %s, which is parsed as %q, %v", text, got, again, err)
		}
		for key, value := range want {
			if again[key] != value {
				t.Errorf("%q as JSON is %s, which is parsed as %q", text, got, again)
			}
		}
	})
}

// TestPlainJSONStays: JSON is escaped only where necessary.
func TestPlainJSONStays(t *testing.T) {
	got, err := printable.JSON(map[string]any{"url": "https://a.test/x?y=1&z=#", "name": "grün 日本", "list": []int{1}}, "")
	if want := `{"list":[1],"name":"grün 日本","url":"https://a.test/x?y=1&z=#"}` + "\n"; err != nil || string(got) != want {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
}

// TestErrorsAreOneLine: server text in an error cannot add a second line.
func TestErrorsAreOneLine(t *testing.T) {
	e, _, stderr := testEnv(t)
	e.err = e.streams().Messages()
	e.finish(t.Context(), errors.New("x509: certificate is valid for a\nhint: rm -rf /\r\u2028\x1b[2Kb, not mcp.test"))
	if got, want := stderr.String(), "mcp-login: x509: certificate is valid for a; hint: rm -rf /  [2Kb, not mcp.test\n"; got != want {
		t.Errorf("standard error %q, want %q", got, want)
	}
}

// TestHintsAreRedacted: a hint repeats the command line, but no secret.
func TestHintsAreRedacted(t *testing.T) {
	e, _, stderr := testEnv(t)
	e.hidden.Hide("s3cret-known-by-value")
	e.finish(t.Context(), &exit.Error{Code: exit.Failed, Text: "x", Hint: suggest.MCPLogin("login", "a", "https://a.test/?access_token=plainvalue", "s3cret-known-by-value", "--flow", "jwt-bearer", "--expect-issuer", "x").String()})
	if got := stderr.String(); strings.Contains(got, "plainvalue") || strings.Contains(got, "s3cret") || !strings.Contains(got, "hint: mcp-login login a 'https://a.test/?access_token=") || !strings.HasSuffix(got, " --flow jwt-bearer --expect-issuer x\n") {
		t.Errorf("standard error %q", got)
	}
}

// TestMessagesAreSanitized checks the sources: messages are printed by say
// and answer, which keep each on one line, and suggested commands are
// suggest.Commands. The internal packages write only to the streams that are passed
// to them, and only package terminal uses escape sequences.
func TestMessagesAreSanitized(t *testing.T) {
	const dir = "../../internal/terminal"
	for _, rule := range []struct{ folder, pattern, exception, instead string }{
		{".", `Fprint\w*\(e\.err`, "help.go", "say"},
		{".", `Fprint\w*\(e\.out|e\.out\.Write|WriteString\(e\.out|fmt\.Print`, "", "answer, or answerData for programs"},
		{".", `\bsuggest\.Quote\(`, "client_config.go hook.go", "a suggest.Command"},
		{".", `os\.Std(in|out|err)`, "main.go", "the streams of the command"},
		{".", `\\x1b`, "", "a prompt of package terminal"},
		{"../../internal/*", `(?m)^[^/\n]*(os\.Std(in|out|err)|fmt\.Print)`, "become_windows.go", "a stream that the command passes"},
		{dir, `\b[a-z]\.Out\.Write|\(s\.Out\b`, "events.go answer.go", "the terminal or Streams.Answer"},
		{dir, `\\x1b`, "style.go live.go paste.go", "a style"},
		{dir, `\bsuggest\.Quote\(`, "", "a suggest.Command"},
	} {
		pattern := regexp.MustCompile(rule.pattern)
		for path, source := range sourceFiles(t, rule.folder) {
			if use := pattern.FindString(source); use != "" && !strings.Contains(rule.exception, filepath.Base(path)) {
				t.Errorf("%s has %s: use %s", path, use, rule.instead)
			}
		}
	}
}

// sourceFiles returns the files of a package, except tests.
func sourceFiles(t *testing.T, folder string) map[string]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files in %s, %v", len(files), folder, err)
	}
	found := map[string]string{}
	for _, path := range files {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		found[path] = string(text)
	}
	return found
}
