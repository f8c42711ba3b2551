package terminal

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/mcp-login/mcp-login/internal/terminal/terminaltest"
)

// shownAsText returns a code and every kind of poll as plain text.
func shownAsText(t *testing.T) string {
	t.Helper()
	var out bytes.Buffer
	p := DevicePrompt{NewPrompt(Streams{Err: &out, Getenv: func(string) string { return "" }}, Options{})}
	showDenied(t, p)
	return out.String()
}

func TestPlainText(t *testing.T) { goldenPrompt(t, "text", shownAsText(t)) }

func TestServerTextIsHarmless(t *testing.T) {
	c := testCode
	c.UserCode = "AB\x1b]52;c;ZXZpbA==\aCD"
	c.Server = "https://mcp.example.com\x1b[2J/\u202eevil"
	c.Client = "mcp\u200b-login\r\n::add-mask::x"
	shown := deviceSignIn(terminaltest.WithHosts(c)).sanitized()
	frame := render(view{signIn: shown, now: start, qr: true}, screen{80, 23})
	for _, text := range []string{frameText(frame), shown.text()} {
		if strings.ContainsAny(text, "\x1b\a\r\u202e\u200b") {
			t.Errorf("control or invisible characters in %q", text)
		}
		for l := range strings.SplitSeq(text, "\n") {
			if strings.HasPrefix(l, "::") {
				t.Errorf("line %q begins with text of a server", l)
			}
		}
	}
}

func TestClipboardInTmux(t *testing.T) {
	want := "\x1b]52;c;QUI=\a\x1bPtmux;\x1b\x1b]52;c;QUI=\a\x1b\\"
	if got := clipboard("AB", true); got != want {
		t.Errorf("clipboard() = %q, want %q", got, want)
	}
}

// TestPromptOfAnyFlow: flows other than the device flow use the same prompt.
func TestPromptOfAnyFlow(t *testing.T) {
	var out bytes.Buffer
	p := NewPrompt(Streams{Err: &out, Getenv: func(string) string { return "" }}, Options{})
	p.Show(t.Context(), SignIn{Link: "https://relay.example/s/1", Code: "BCDF", Server: "https://mcp.example.com/mcp", Client: "mcp-login"})
	for range 2 {
		p.Progress(Progress{Status: Unreachable, Err: errors.New("timeout")})
	}
	p.Progress(Progress{Status: SlowedDown})
	p.Progress(Progress{})
	got := out.String()
	for text, want := range map[string]int{
		"To sign in to mcp.example.com, open\n\n    https://relay.example/s/1\n": 1, "\n    BCDF\n": 1, "or open this link": 0, "Waiting until": 0,
		"cannot reach the authorization server, still trying: timeout\n": 1, "is reachable again": 1,
	} {
		if n := strings.Count(got, text); n != want {
			t.Errorf("%q occurs %d times, want %d:\n%s", text, n, want, got)
		}
	}
}
