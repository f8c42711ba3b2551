package terminal

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/hinshun/vt10x"

	"github.com/mcp-login/mcp-login/flows/authcode"
	"github.com/mcp-login/mcp-login/oauth"
)

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
		name           string
		link           authcode.Link
		ssh            string
		want, unwanted []string
	}{
		{"opened", with(func(l *authcode.Link) { l.Opened = true }), "", []string{"in the browser that opened\n", "\n    https://as.test/authorize?x=y\n", "Client c, for mcp.test. You sign in at as.test, which issues the token.\n"}, []string{"ssh", "copy its", "laptop"}},
		{"opened on the laptop", with(func(l *authcode.Link) { l.Opened, l.Remote, l.Paste = true, true, true }), "", []string{"opened on your laptop\n", "copy its complete URL"}, []string{"ssh"}},
		{"not opened", with(func(l *authcode.Link) { l.OpenErr = errors.New("cannot open a browser") }), "", []string{"cannot open a browser. Sign in to mcp.test"}, nil},
		{"paste", with(func(l *authcode.Link) { l.Paste = true }), "", []string{"\n1. Open", "\n2. Sign in", "begins with http://127.0.0.1:4711/callback\n", "\n3. Copy that complete URL, or the code"}, []string{"press c"}},
		{"over ssh", link, "ada@192.0.2.9", []string{"\n    ssh -L 4711:127.0.0.1:4711 ada@192.0.2.9\n", "~C, -L 4711:127.0.0.1:4711 ", "http://127.0.0.1:4711/ opens"}, nil},
		{"over ssh, IPv6", with(func(l *authcode.Link) { l.Redirect = "http://[::1]:4711/callback" }), "ada@box", []string{"ssh -L '4711:[::1]:4711' ada@box\n"}, nil},
		{"over ssh, no listener", with(func(l *authcode.Link) { l.Port, l.Local = 0, "" }), "ada@box", nil, []string{"ssh"}},
		{"elsewhere", with(func(l *authcode.Link) { l.Issuer = "https://issuer.example" }), "",
			[]string{"You sign in at as.test; the token issuer is issuer.example.\nWarning: the sign-in page is on as.test, but the token issuer is issuer.example.\nApprove"}, nil},
		{"hostile names", with(func(l *authcode.Link) { l.Issuer = "https://\x1b[2Jevil\u202e" }), "", nil, []string{"\x1b", "\u202e"}},
	} {
		got := linkScreen{LinkOptions: LinkOptions{Client: "c", SSH: strings.Fields(tt.ssh)}, link: tt.link, cols: 200}.text()
		for _, s := range tt.want {
			if !strings.Contains(got, s) {
				t.Errorf("%s: %q is missing:\n%s", tt.name, s, got)
			}
		}
		for _, s := range tt.unwanted {
			if strings.Contains(got, s) {
				t.Errorf("%s: unexpected %q:\n%s", tt.name, s, got)
			}
		}
	}
}

// realLink is a link of realistic length.
func realLink() authcode.Link {
	as := oauth.Server{Issuer: "https://auth.example.com", AuthorizationEndpoint: "https://auth.example.com/authorize"}
	return authcode.Link{
		URL: as.AuthorizationEndpoint + "?client_id=1c5ff9e0-6a4b-4fd5-8c1e-2f3f0c7f7d5a&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM" +
			"&code_challenge_method=S256&redirect_uri=http%3A%2F%2F127.0.0.1%3A40001%2Fcallback&resource=https%3A%2F%2Fmcp.example.com%2Fmcp" +
			"&response_type=code&scope=read+write&state=JBSWY3DPEHPK3PXPJBSWY3DPEH",
		Local: "http://127.0.0.1:40001/MFRGGZDFMZTWQ2LKNNWG23TPOB", Port: 40001, Redirect: "http://127.0.0.1:40001/callback",
		Server: "https://mcp.example.com/mcp", Issuer: as.Issuer, Hosts: authcode.Hosts("https://mcp.example.com/mcp", as), Paste: true,
	}
}

// TestLinkScreen: everything fits one screen, with the link as one line that the
// terminal wraps, and the prompt below.
func TestLinkScreen(t *testing.T) {
	t.Parallel()
	opened := realLink()
	opened.Opened, opened.Remote, opened.Port, opened.Local = true, true, 0, ""
	for _, tt := range []struct {
		name string
		link authcode.Link
		ssh  string
	}{{"paste-ssh", realLink(), "ada@192.0.2.9"}, {"paste", realLink(), ""}, {"opened-on-laptop", opened, "ada@192.0.2.9"}} {
		for _, size := range []struct{ cols, rows int }{{80, 24}, {120, 40}} {
			vt := vt10x.New(vt10x.WithSize(size.cols, size.rows))
			s := linkScreen{
				LinkOptions: LinkOptions{Client: "mcp-login", SSH: strings.Fields(tt.ssh)}, link: tt.link,
				cols: min(size.cols, maxText), styled: true,
			}
			for _, l := range s.lines() {
				if strings.Contains(l.String(), tt.link.URL[:20]) && l.String() != "    "+tt.link.URL {
					t.Errorf("the link is broken: %q", l)
				}
				fmt.Fprint(vt, l.ansi()+"\r\n")
			}
			fmt.Fprint(vt, pasteHere)
			var got strings.Builder
			for row := range strings.SplitSeq(strings.TrimRight(vt.String(), " \n"), "\n") {
				got.WriteString(strings.TrimRight(row, " ") + "\n")
			}
			if !strings.HasPrefix(got.String(), "Sign in to") {
				t.Errorf("%s scrolled out of %dx%d", tt.name, size.cols, size.rows)
			}
			goldenPrompt(t, fmt.Sprintf("link-%s-%dx%d", tt.name, size.cols, size.rows), got.String())
		}
	}
}

// TestHyperlink: each line of a wrapped link opens the whole URL, and nothing in it
// controls the terminal.
func TestHyperlink(t *testing.T) {
	t.Parallel()
	const url = "https://as.test/authorize?x=y"
	got := line{{url, hyperlink}}.ansi()
	if !strings.Contains(got, "\x1b]8;;"+url+"\x1b\\"+url+"\x1b]8;;\x1b\\") {
		t.Errorf("%q", got)
	}
	if got := (line{{"https://as.test/\x1b\\\x07x", hyperlink}}).ansi(); strings.Count(got, "\x1b") != 6 || strings.Contains(got, "\x07") {
		t.Errorf("%q", got)
	}
}
