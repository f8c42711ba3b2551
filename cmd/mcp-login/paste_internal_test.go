package main

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/mcp-login/mcp-login/flows/authcode"
	"github.com/mcp-login/mcp-login/oauth"
)

func TestTypedText(t *testing.T) {
	t.Parallel()
	const on, off = "\x1b[200~", "\x1b[201~"
	for _, tt := range []struct {
		name, keys, text, echo string
		end                    textEnd
		settled                bool
	}{
		{"typed", "abc", "abc", "abc", goesOn, false},
		{"entered", "abc\r", "abc\n", "abc", goesOn, true},
		{"wrapped", "abc\rdef\r\n", "abc\ndef\n\n", "abcdef", goesOn, true},
		{"enter alone", "\r\r", "", "", goesOn, false},
		{"corrected", "abx\x7f\x08c", "ac", "abx\b \b\b \bc", goesOn, false},
		{"begun anew", "abc\x15de", "de", "abc\b \b\b \b\b \bde", goesOn, false},
		{"pasted", on + "a\nb" + off, "a\nb", "", endText, false},
		{"pasted nothing", on + off, "", "", goesOn, false},
		{"escape sequence inside a paste", on + "a\x1b]0;x" + off, "a0;x", "", endText, false},
		{"arrows and Alt", "a\x1b[A\x1b[1;5D\x1bOPb", "aPb", "aPb", goesOn, false},
		{"end of input", "\x04", "", "", endInput, false},
		{"end of input after text", "a\x04", "a", "a", goesOn, false},
		{"control characters", "a\x01\x07\tb", "ab", "ab", goesOn, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var typed typedText
			var echo strings.Builder
			end := goesOn
			for _, c := range []byte(tt.keys) {
				var shown string
				shown, end = typed.feed(c)
				echo.WriteString(shown)
			}
			if typed.String() != tt.text || echo.String() != tt.echo || end != tt.end || typed.settled() != tt.settled {
				t.Errorf("%q gives %q, shows %q, end %v, settled %v; want %q, %q, %v, %v",
					tt.keys, typed.String(), echo.String(), end, typed.settled(), tt.text, tt.echo, tt.end, tt.settled)
			}
		})
	}
}

// FuzzTypedText: whatever comes from the terminal, nothing is shown but
// printable characters and corrections.
func FuzzTypedText(f *testing.F) {
	f.Add([]byte("\x1b[200~a\x1b[201~"))
	f.Add([]byte("a\x1b]52;c;\x07\x7f\x15"))
	f.Fuzz(func(t *testing.T, keys []byte) {
		var typed typedText
		for _, c := range keys {
			shown, _ := typed.feed(c)
			if rest := strings.ReplaceAll(shown, "\b \b", ""); strings.ContainsFunc(rest, func(r rune) bool { return r < ' ' }) {
				t.Fatalf("%q shows %q", keys, shown)
			}
		}
		if len(typed.text) > maxTyped || len(typed.escape) > 16 {
			t.Fatalf("%d bytes of text, %d of an escape sequence are kept", len(typed.text), len(typed.escape))
		}
	})
}

func TestLinkText(t *testing.T) {
	t.Parallel()
	link := authcode.Link{
		URL: "https://as.test/authorize?x=y", Local: "http://127.0.0.1:4711/", Port: 4711,
		Redirect: "http://127.0.0.1:4711/callback", Server: "https://mcp.test/mcp", Issuer: "https://as.test",
	}
	with := func(change func(*authcode.Link)) authcode.Link {
		l := link
		change(&l)
		l.Hosts = authcode.Hosts(l.Server, oauth.Server{Issuer: l.Issuer, AuthorizationEndpoint: link.URL})
		return l
	}
	link = with(func(*authcode.Link) {})
	for _, tt := range []struct {
		name      string
		link      authcode.Link
		ssh       string
		has, lack []string
	}{
		{"opened", with(func(l *authcode.Link) { l.Opened = true }), "", []string{"Your browser was opened", "\n    https://as.test/authorize?x=y\n", "Client c, for mcp.test. You sign in at as.test, which issues the token.\n"}, []string{"ssh", "copy the address"}},
		{"not opened", with(func(l *authcode.Link) { l.OpenErr = errors.New("no browser could be opened") }), "", []string{"no browser could be opened. To sign in to mcp.test"}, nil},
		{"paste", with(func(l *authcode.Link) { l.Paste = true }), "", []string{"copy the address it has"}, nil},
		{"over ssh", link, "ada@192.0.2.9", []string{"\n    ssh -L 4711:127.0.0.1:4711 ada@192.0.2.9\n", "http://127.0.0.1:4711/ leads"}, nil},
		{"over ssh, IPv6", with(func(l *authcode.Link) { l.Redirect = "http://[::1]:4711/callback" }), "ada@box", []string{"ssh -L '4711:[::1]:4711' ada@box\n"}, nil},
		{"over ssh, nobody listens", with(func(l *authcode.Link) { l.Port, l.Local = 0, "" }), "ada@box", nil, []string{"ssh"}},
		{"elsewhere", with(func(l *authcode.Link) { l.Issuer = "https://issuer.example" }), "",
			[]string{"You sign in at as.test; the token issuer is issuer.example.\nWarning: the sign-in page is on as.test, but the token issuer is issuer.example.\nApprove"}, nil},
		{"hostile names", with(func(l *authcode.Link) { l.Issuer = "https://\x1b[2Jevil\u202e" }), "", nil, []string{"\x1b", "\u202e"}},
	} {
		p := &linkText{client: "c", ssh: strings.Fields(tt.ssh)}
		got := p.text(tt.link)
		for _, s := range tt.has {
			if !strings.Contains(got, s) {
				t.Errorf("%s: %q is missing:\n%s", tt.name, s, got)
			}
		}
		for _, s := range tt.lack {
			if strings.Contains(got, s) {
				t.Errorf("%s: %q is there:\n%s", tt.name, s, got)
			}
		}
	}
}

func TestSSHTarget(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ connection, user, want string }{
		{"", "ada", ""},
		{"192.0.2.7 50000 192.0.2.9 22", "ada", "ada@192.0.2.9"},
		{"192.0.2.7 50000 192.0.2.9 2222", "ada", "-p 2222 ada@192.0.2.9"},
		{"2001:db8::7 50000 2001:db8::9 22", "ada", "ada@2001:db8::9"},
		{"192.0.2.7 50000 192.0.2.9 22", "a; rm -rf", "'a; rm -rf@192.0.2.9'"},
		{"192.0.2.7 50000 192.0.2.9 22", "", "USER@192.0.2.9"},
		{"odd", "ada", ""},
	} {
		got := sshTarget(func(name string) string {
			return map[string]string{"SSH_CONNECTION": tt.connection, "USER": tt.user}[name]
		}).String()
		if got != tt.want {
			t.Errorf("sshTarget(%q, %q) = %q, want %q", tt.connection, tt.user, got, tt.want)
		}
	}
	if got := sshTarget(func(name string) string {
		return map[string]string{"SSH_CONNECTION": "127.0.0.1 5 127.0.0.1 22", "USER": "ada"}[name]
	}).String(); strings.Contains(got, "127.0.0.1") || !strings.HasPrefix(got, "ada@") {
		t.Errorf("at a tunnel's end: %q", got)
	}
}

func TestLinkEvent(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	p := linkEvents{(&jsonPrompt{out: &out}).emit}
	p.ShowLink(context.Background(), authcode.Link{
		URL: "https://as.test/a?b=c&d=e", Local: "http://127.0.0.1:1/", Port: 1, Redirect: "http://127.0.0.1:1/callback",
		Server: "https://mcp.test/mcp", Issuer: "https://as.test", OpenErr: errors.New("no\x1b[2J browser"),
		Hosts: authcode.Hosts("https://mcp.test/mcp", oauth.Server{Issuer: "https://as.test", AuthorizationEndpoint: "https://as.test/a", TokenEndpoint: "https://elsewhere.test/t"}),
	})
	const want = `{"event":"link","authorization_url":"https://as.test/a?b=c&d=e","local_url":"http://127.0.0.1:1/",` +
		`"redirect_uri":"http://127.0.0.1:1/callback","browser_opened":false,"browser_error":"no[2J browser","server":"https://mcp.test/mcp","issuer":"https://as.test",` +
		`"hosts":{"server":"mcp.test","issuer":"as.test","sign_in":"as.test","token_endpoint":"elsewhere.test"},` +
		`"warning":"the token endpoint is on elsewhere.test, but the token issuer is as.test"}` + "\n"
	if out.String() != want {
		t.Errorf("event %s, want %s", out.String(), want)
	}
}
