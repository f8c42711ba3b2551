package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/mcp-login/mcp-login/internal/suggest"
)

// steers reports what may steer a terminal in a text: everything but ends of
// lines that takes no room.
func steers(text string) bool {
	return strings.ContainsFunc(text, func(r rune) bool {
		return r != '\n' && unicode.In(r, unicode.C, unicode.Zl, unicode.Zp, unicode.Bidi_Control, unicode.Join_Control,
			unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
	})
}

// mayCommand reports what may be a command to a CI's runner in a log: see
// ci.Escape.
func mayCommand(log string) bool {
	for line := range strings.Lines(log) {
		line = strings.TrimSpace(line)
		if strings.Contains(line, "##") || strings.Contains(line, "::add-mask") {
			return true
		}
		for _, lead := range []string{"::", "---", "+++", "~~~", "^^^"} {
			if strings.HasPrefix(line, lead) {
				return true
			}
		}
	}
	return false
}

func displayed(t *testing.T, inCI bool, pieces ...string) string {
	t.Helper()
	var out bytes.Buffer
	d := &display{w: &out, ci: inCI}
	for _, piece := range pieces {
		if n, err := io.WriteString(d, piece); n != len(piece) || err != nil {
			t.Fatalf("%d bytes of %d, %v", n, len(piece), err)
		}
	}
	if err := d.Flush(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestDisplay(t *testing.T) {
	for _, tt := range []struct {
		pieces   []string
		want, ci string
	}{
		{[]string{"a line\n  two\n"}, "a line\n  two\n", "a line\n  two\n"},
		{[]string{"gr\xc3", "\xbcn ", "\xe6\x97", "\xa5"}, "grün 日", "grün 日"},
		{[]string{"half \xe6\x97"}, "half ", "half"},
		{[]string{"\x1b]0;title\a", "\xc2", "\x9b31m"}, "]0;title31m", "]0;title31m"},
		{[]string{"a #", "#vso[task.complete]\n", ":", ":error::x\n"}, "a ##vso[task.complete]\n::error::x\n", "a # #vso[task.complete]\n| ::error::x\n"},
		{[]string{"#\u200b#vso[x]\n\u202e::error::y\n"}, "##vso[x]\n::error::y\n", "# #vso[x]\n| ::error::y\n"},
	} {
		if got := displayed(t, false, tt.pieces...); got != tt.want {
			t.Errorf("%q shows %q, want %q", tt.pieces, got, tt.want)
		}
		if got := displayed(t, true, tt.pieces...); got != tt.ci {
			t.Errorf("%q in CI shows %q, want %q", tt.pieces, got, tt.ci)
		}
	}
}

// TestDisplayShowsAtOnce: a question without a line end does not wait for one.
func TestDisplayShowsAtOnce(t *testing.T) {
	var out bytes.Buffer
	d := &display{w: &out}
	if _, err := io.WriteString(d, "go on? \xc3"); err != nil || out.String() != "go on? " {
		t.Errorf("shown %q, %v", out.String(), err)
	}
}

// FuzzDisplay: whatever is written, in whatever pieces, nothing comes out that
// steers a terminal, nor in CI a command to the runner.
func FuzzDisplay(f *testing.F) {
	for _, seed := range []string{"\x1b[31mred\x1b[m", "a\u202eb\u2066c\n", "\u009b31m", "##vso[task.setsecret]x", "x\n::error::y", "#\u200b#[x]", "\xe6\x97\xa5\xff", "::add-mask::x"} {
		f.Add([]byte(seed), 1, 5)
	}
	f.Fuzz(func(t *testing.T, text []byte, first, second int) {
		at := func(n int) int { return max(0, min(n, len(text))) }
		cuts := []int{at(min(first, second)), at(max(first, second))}
		for _, inCI := range []bool{false, true} {
			got := displayed(t, inCI, string(text[:cuts[0]]), string(text[cuts[0]:cuts[1]]), string(text[cuts[1]:]))
			if whole := displayed(t, inCI, string(text)); got != whole {
				t.Errorf("%q cut at %d shows %q, whole %q", text, cuts, got, whole)
			}
			if steers(got) {
				t.Errorf("%q shows %q", text, got)
			}
			if inCI && mayCommand(got) {
				t.Errorf("%q in CI shows %q", text, got)
			}
		}
	})
}

// FuzzJSON: JSON steers neither a terminal nor a log, and reads back as what it
// was made of.
func FuzzJSON(f *testing.F) {
	for _, seed := range []string{"\x1b\x7f\u009b", "a\u202eb", "\U000e0041", "##vso[x]###", "::add-mask::x", "https://a/?b=c&d=<e>", "\u2028"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		want := map[string]string{"a": strings.ToValidUTF8(text, "\ufffd"), strings.ToValidUTF8(text, "\ufffd"): "b"}
		got, err := encodeJSON(want, "  ")
		if err != nil {
			t.Fatal(err)
		}
		if steers(string(got)) || mayCommand(string(got)) {
			t.Errorf("%q as JSON is %q", text, got)
		}
		var again map[string]string
		if err := json.Unmarshal(got, &again); err != nil || len(again) != len(want) {
			t.Fatalf("%q as JSON is %s, which reads as %q, %v", text, got, again, err)
		}
		for key, value := range want {
			if again[key] != value {
				t.Errorf("%q as JSON is %s, which reads as %q", text, got, again)
			}
		}
	})
}

// TestPlainJSONStays: nothing is escaped that need not be.
func TestPlainJSONStays(t *testing.T) {
	got, err := encodeJSON(map[string]any{"url": "https://a.test/x?y=1&z=#", "name": "grün 日本", "list": []int{1}}, "")
	if want := `{"list":[1],"name":"grün 日本","url":"https://a.test/x?y=1&z=#"}` + "\n"; err != nil || string(got) != want {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
}

// TestPromptDrawsNoForeignEscapes: only the styles of a frame are escape
// sequences.
func TestPromptDrawsNoForeignEscapes(t *testing.T) {
	const hostile = "a\x1b[2J\x07\u009b31m\u202eb\n"
	got := line{{hostile, plain}, {hostile, bold}}.ansi()
	if want := "a[2J31mb \x1b[1ma[2J31mb \x1b[m"; got != want {
		t.Errorf("drawn %q, want %q", got, want)
	}
	var out bytes.Buffer
	p := newTerminalPrompt(promptOptions{Out: &out})
	if _, err := io.WriteString(p, hostile); err != nil || steers(out.String()) {
		t.Errorf("a log line above it is %q, %v", out.String(), err)
	}
}

// TestErrorsAreOneLine: text of a server in an error forges no second line.
func TestErrorsAreOneLine(t *testing.T) {
	e, _, talk := testEnv(t)
	e.protect()
	e.finish(t.Context(), errors.New("x509: certificate is valid for a\nhint: rm -rf /\r\u2028\x1b[2Kb, not mcp.test"))
	if got, want := talk.String(), "mcp-login: x509: certificate is valid for a; hint: rm -rf /  [2Kb, not mcp.test\n"; got != want {
		t.Errorf("standard error %q, want %q", got, want)
	}
}

// TestHintsAreRedacted: a hint repeats what was typed, but no secret.
func TestHintsAreRedacted(t *testing.T) {
	e, _, talk := testEnv(t)
	e.hidden.hide("s3cret-known-by-value")
	e.finish(t.Context(), &codeError{code: exitFailed, text: "x", hint: suggest.MCPLogin("login", "a", "https://a.test/?access_token=plainvalue", "s3cret-known-by-value", "--flow", "jwt-bearer", "--expect-issuer", "x").String()})
	if got := talk.String(); strings.Contains(got, "plainvalue") || strings.Contains(got, "s3cret") || !strings.Contains(got, "hint: mcp-login login a 'https://a.test/?access_token=") || !strings.HasSuffix(got, " --flow jwt-bearer --expect-issuer x\n") {
		t.Errorf("standard error %q", got)
	}
}

// TestPeopleAreToldThroughADisplay reads the source: messages go through say and
// answer, which keep each on its line, and commands to be pasted are
// suggestions.
func TestPeopleAreToldThroughADisplay(t *testing.T) {
	for _, rule := range []struct{ pattern, but, instead string }{
		{`Fprint\w*\(e\.err`, "help.go", "say"},
		{`Fprint\w*\(e\.out|e\.out\.Write|WriteString\(e\.out|fmt\.Print`, "display.go", "answer, or answerData for programs"},
		{`\bsuggest\.Quote\(`, "client_config.go hook.go", "a suggest.Command"},
	} {
		pattern := regexp.MustCompile(rule.pattern)
		for path, source := range sourceFiles(t) {
			if use := pattern.FindString(source); use != "" && !strings.Contains(rule.but, path) {
				t.Errorf("%s has %s: use %s", path, use, rule.instead)
			}
		}
	}
}

// sourceFiles are the files of this package, but for tests.
func sourceFiles(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
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
