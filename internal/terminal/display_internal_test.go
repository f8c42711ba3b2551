package terminal

import (
	"bytes"
	"io"
	"testing"

	"github.com/mcp-login/mcp-login/internal/terminal/terminaltest"
)

func displayed(t *testing.T, inCI bool, pieces ...string) string {
	t.Helper()
	var out bytes.Buffer
	d := &Display{w: &out, ci: inCI}
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

// TestMessagesAreStyled: the style depends on how a line begins, not on quoted
// text. Answers are not styled.
func TestMessagesAreStyled(t *testing.T) {
	var out bytes.Buffer
	d := &Display{w: &out, styles: Styles{on: true}, kinds: true}
	for _, piece := range []string{"mcp-login: no \x1b[2m\n", "plain hint: x\nhint: run it\n", "wait", "ing\n"} {
		io.WriteString(d, piece)
	}
	if want := "\x1b[31m✗ mcp-login: \x1b[mno [2m\nplain hint: x\n\x1b[2mhint: \x1b[m\x1b[1mrun it\x1b[m\nwaiting\n"; out.String() != want {
		t.Errorf("%q\nwant\n%q", out.String(), want)
	}
	out.Reset()
	d = &Display{w: &out, styles: Styles{on: true}}
	io.WriteString(d, "signed in  today\n")
	if out.String() != "signed in  today\n" {
		t.Errorf("an answer is %q", out.String())
	}
}

// TestDisplayShowsAtOnce: a prompt is shown without waiting for a line end.
func TestDisplayShowsAtOnce(t *testing.T) {
	var out bytes.Buffer
	d := &Display{w: &out}
	if _, err := io.WriteString(d, "go on? \xc3"); err != nil || out.String() != "go on? " {
		t.Errorf("shown %q, %v", out.String(), err)
	}
}

// FuzzDisplay: in any pieces, the output neither controls a terminal nor, in CI,
// contains a command to the runner.
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
			if terminaltest.Steers(got) {
				t.Errorf("%q shows %q", text, got)
			}
			if inCI && terminaltest.MayCommand(got) {
				t.Errorf("%q in CI shows %q", text, got)
			}
		}
	})
}

// TestPromptDrawsOnlyItsEscapes: the only escape sequences are the styles of a
// frame.
func TestPromptDrawsOnlyItsEscapes(t *testing.T) {
	const hostile = "a\x1b[2J\x07\u009b31m\u202eb\n"
	got := line{{hostile, plain}, {hostile, bold}}.ansi()
	if want := "a[2J31mb \x1b[1ma[2J31mb \x1b[m"; got != want {
		t.Errorf("drawn %q, want %q", got, want)
	}
	var out bytes.Buffer
	p := &livePrompt{text: NewDisplay(&out, false)}
	if _, err := io.WriteString(p, hostile); err != nil || terminaltest.Steers(out.String()) {
		t.Errorf("a log line above it is %q, %v", out.String(), err)
	}
}
