package terminal

import (
	"bytes"
	"context"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mcp-login/mcp-login/flows/authcode"
	"github.com/mcp-login/mcp-login/flows/device"
	"github.com/mcp-login/mcp-login/internal/terminal/terminaltest"
	"github.com/mcp-login/mcp-login/oauth"
)

// showDenied shows a code and every kind of poll.
func showDenied(t *testing.T, p interface {
	device.PollPrompt
	io.Closer
}) {
	t.Helper()
	p.ShowCode(t.Context(), terminaltest.Code())
	next := terminaltest.Now().Add(5 * time.Second)
	for _, s := range []device.Poll{
		{Status: device.Pending, Next: next},
		{Status: device.SlowDown, Next: next.Add(12 * time.Second)},
		{Status: device.Unreachable, Next: next.Add(32 * time.Second), Err: errors.New("connection \x1b[31mrefused")},
		{Status: device.Pending, Next: next.Add(42 * time.Second)},
		{Status: device.Denied, Err: errors.New("authorization was denied")},
	} {
		p.ShowPoll(t.Context(), s)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestJSONEvents: the golden file is the contract with programs.
func TestJSONEvents(t *testing.T) {
	var out bytes.Buffer
	p := &Events{Out: &out}
	showDenied(t, p)
	terminaltest.Golden(t, filepath.Join("testdata", "prompt", "events.golden"), out.String())
}

func TestLinkEvent(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	p := &Events{Out: &out}
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
