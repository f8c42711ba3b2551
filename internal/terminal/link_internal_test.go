package terminal

import (
	"errors"
	"strings"
	"testing"

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
		name      string
		link      authcode.Link
		ssh       string
		has, lack []string
	}{
		{"opened", with(func(l *authcode.Link) { l.Opened = true }), "", []string{"Your browser was opened", "\n    https://as.test/authorize?x=y\n", "Client c, for mcp.test. You sign in at as.test, which issues the token.\n"}, []string{"ssh", "copy its address"}},
		{"not opened", with(func(l *authcode.Link) { l.OpenErr = errors.New("no browser could be opened") }), "", []string{"no browser could be opened. To sign in to mcp.test"}, nil},
		{"paste", with(func(l *authcode.Link) { l.Paste = true }), "", []string{"copy its address"}, nil},
		{"over ssh", link, "ada@192.0.2.9", []string{"\n    ssh -L 4711:127.0.0.1:4711 ada@192.0.2.9\n", "http://127.0.0.1:4711/ opens"}, nil},
		{"over ssh, IPv6", with(func(l *authcode.Link) { l.Redirect = "http://[::1]:4711/callback" }), "ada@box", []string{"ssh -L '4711:[::1]:4711' ada@box\n"}, nil},
		{"over ssh, nobody listens", with(func(l *authcode.Link) { l.Port, l.Local = 0, "" }), "ada@box", nil, []string{"ssh"}},
		{"elsewhere", with(func(l *authcode.Link) { l.Issuer = "https://issuer.example" }), "",
			[]string{"You sign in at as.test; the token issuer is issuer.example.\nWarning: the sign-in page is on as.test, but the token issuer is issuer.example.\nApprove"}, nil},
		{"hostile names", with(func(l *authcode.Link) { l.Issuer = "https://\x1b[2Jevil\u202e" }), "", nil, []string{"\x1b", "\u202e"}},
	} {
		p := &LinkText{Client: "c", SSH: strings.Fields(tt.ssh)}
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
