package proxy_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/flows"
	"github.com/mcp-login/mcp-login/flows/device"
	"github.com/mcp-login/mcp-login/internal/await"
	"github.com/mcp-login/mcp-login/internal/proxy"
	"github.com/mcp-login/mcp-login/internal/proxystate"
	"github.com/mcp-login/mcp-login/secrets"
)

// siteUser is a user who approves sign-ins at the site, when the test says so.
type siteUser struct {
	*site
	mode     string // of its clients: stdio or http
	dir      string
	approve  chan error    // nil approves
	testDone chan struct{} // closed when the test ends
	logins   atomic.Int32

	mu     sync.Mutex // guards scopes
	scopes [][]string // additional scopes of each login
}

// newSiteUser returns a user who is not signed in.
func newSiteUser(t *testing.T, h http.Handler) *siteUser {
	t.Helper()
	p := &siteUser{site: newSite(t, h), mode: "stdio", dir: filepath.Join(t.TempDir(), "proxy"), approve: make(chan error), testDone: make(chan struct{})}
	p.signOut(t)
	t.Cleanup(func() { // otherwise a sign-in would write to a folder that is being removed
		close(p.testDone)
		await.True(t, "sign-ins have ended", func() bool {
			unlock, locked, err := proxystate.Of(p.dir, "box", p.URL+"/mcp").TryLock()
			if err != nil {
				t.Fatal(err)
			}
			if locked {
				unlock()
			}
			return locked
		})
	})
	return p
}

func (p *siteUser) signOut(t *testing.T) {
	t.Helper()
	if err := p.store.Delete(t.Context(), "box", secrets.Any); err != nil {
		t.Fatal(err)
	}
}

// upstream opens the site like a separate process.
func (p *siteUser) upstream(t *testing.T) proxy.Upstream {
	up := p.site.upstream(t)
	up.SignIn = &proxy.SignIn{
		Machine: "host", State: proxystate.Of(p.dir, "box", up.Server),
		Account: func(mcplogin.Credential) string { return "Ada" },
		Login: func(ctx context.Context, prompt *proxy.Prompt, scopes []string) (mcplogin.Credential, error) {
			p.logins.Add(1)
			p.mu.Lock()
			p.scopes = append(p.scopes, scopes)
			p.mu.Unlock()
			prompt.ShowCode(ctx, device.Code{
				UserCode: "WDJB-MJHT", VerificationURI: "https://as.test/device", VerificationURIComplete: "https://as.test/device?user_code=WDJB-MJHT",
				Expiry: time.Now().Add(15 * time.Minute), Client: "mcp-login",
				Hosts: flows.Hosts{Server: "mcp.test", Issuer: "as.test", SignIn: "as.test"},
			})
			select {
			case err := <-p.approve:
				if err == nil {
					p.site.login(t)
				}
				return mcplogin.Credential{}, err
			case <-p.testDone:
				return mcplogin.Credential{}, errors.New("the test is over")
			case <-ctx.Done():
				return mcplogin.Credential{}, ctx.Err()
			}
		},
	}
	return up
}

// poster returns a function that posts a body to a new proxy process, in the
// client's session.
func (p *siteUser) poster(t *testing.T) func(session, body string) *http.Response {
	t.Helper()
	h, err := proxy.HTTP{Upstream: p.upstream(t)}.Handler()
	if err != nil {
		t.Fatal(err)
	}
	return func(session, body string) *http.Response {
		r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1/", strings.NewReader(body))
		r.Header.Set("Mcp-Session-Id", session)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Result()
	}
}

// open connects a client to a new proxy process.
func (p *siteUser) open(t *testing.T, opts mcp.ClientOptions) *client {
	t.Helper()
	return open(t, modes[p.mode](t, p.upstream(t)), opts)
}

// waitForCachedTools waits until the tools that a client has listed are cached.
func (p *siteUser) waitForCachedTools(t *testing.T) {
	t.Helper()
	await.True(t, "the tools are cached", func() bool {
		return proxystate.Of(p.dir, "box", p.URL+"/mcp").Load().Lists["tools/list"] != nil
	})
}

// eachMode runs a test with a signed-out user, over stdio and over HTTP.
func eachMode(t *testing.T, stateless bool, test func(*testing.T, *siteUser)) {
	for mode := range modes {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			p := newSiteUser(t, newTools().handler(stateless))
			p.mode = mode
			test(t, p)
		})
	}
}

// open connects a client, which may be denied the stateless protocol.
func open(t *testing.T, transport mcp.Transport, opts mcp.ClientOptions) *client {
	t.Helper()
	c := &client{changed: make(chan struct{}, 99)}
	opts.ToolListChangedHandler = func(context.Context, *mcp.ToolListChangedRequest) { c.changed <- struct{}{} }
	var err error
	if c.ClientSession, err = mcp.NewClient(&mcp.Implementation{Name: "client"}, &opts).Connect(t.Context(), transport, nil); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// tools returns the names of the listed tools.
func (c *client) tools(t *testing.T) (names []string) {
	t.Helper()
	found, err := c.ListTools(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, tool := range found.Tools {
		names = append(names, tool.Name)
	}
	return names
}

// wantParts fails unless a text has all the parts.
func wantParts(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("no %q in %q", part, text)
		}
	}
}

// TestSignInByText: a client that cannot open URLs gets a text to show, and after
// the approval exactly the server's tools.
func TestSignInByText(t *testing.T) {
	for _, stateless := range []bool{false, true} {
		eachMode(t, stateless, func(t *testing.T, p *siteUser) {
			c := p.open(t, mcp.ClientOptions{})
			if got := c.tools(t); !slices.Equal(got, []string{"sign_in"}) {
				t.Errorf("tools %q, want only sign_in", got)
			}
			wantParts(t, c.InitializeResult().Instructions, "sign_in")
			wantParts(t, c.call(t, "sign_in", nil), "https://as.test/device?user_code=WDJB-MJHT", "code WDJB-MJHT", "mcp-login on host", "mcp.test",
				"valid for 15 minutes", "Approve only if you started this sign-in yourself", "Call sign_in again")

			result := make(chan string)
			go func() { result <- c.call(t, "sign_in", nil) }()
			p.approve <- nil
			wantParts(t, await.Receive(t, "the second call", result), "Signed in", "as Ada")
			await.Receive(t, "the notification of changed tools", c.changed)
			if got := c.tools(t); !slices.Contains(got, "add") || slices.Contains(got, "sign_in") {
				t.Errorf("tools %q, want those of the server", got)
			}
			if got := c.call(t, "add", map[string]any{"A": 2, "B": 3}); got != "5" {
				t.Errorf("2 + 3 = %q", got)
			}
			wantParts(t, c.call(t, "sign_in", nil), "as Ada") // though it is no longer listed
			if n := p.logins.Load(); n != 1 {
				t.Errorf("%d logins, want 1", n)
			}
		})
	}
}

// TestCachedTools: a new process of a signed-out user lists the server's cached
// tools, and a call of such a tool starts the sign-in.
func TestCachedTools(t *testing.T) {
	eachMode(t, false, func(t *testing.T, p *siteUser) {
		p.site.login(t)
		before := p.open(t, mcp.ClientOptions{})
		tools := before.tools(t)
		p.waitForCachedTools(t)
		p.signOut(t)

		c := p.open(t, mcp.ClientOptions{})
		if got := c.tools(t); !slices.Equal(got, append([]string{"sign_in"}, tools...)) {
			t.Errorf("tools %q, want sign_in and %q", got, tools)
		}
		if got := c.InitializeResult().ServerInfo.Name; got != "tools" {
			t.Errorf("the server is %q", got)
		}
		result, err := c.CallTool(t.Context(), &mcp.CallToolParams{Name: "add", Arguments: map[string]any{"A": 2, "B": 3}})
		if err != nil || !result.IsError {
			t.Fatalf("%+v, %v, want an error of the tool", result, err)
		}
		wantParts(t, result.Content[0].(*mcp.TextContent).Text, "WDJB-MJHT")
		sum := make(chan string)
		go func() { sum <- c.call(t, "add", map[string]any{"A": 2, "B": 3}) }()
		p.approve <- nil
		if got := await.Receive(t, "the sum", sum); got != "5" {
			t.Errorf("2 + 3 = %q", got)
		}
	})
}

// TestSignInFails: the client gets the reason, and the next call starts again.
func TestSignInFails(t *testing.T) {
	eachMode(t, false, func(t *testing.T, p *siteUser) {
		c := p.open(t, mcp.ClientOptions{})
		c.call(t, "sign_in", nil)
		result := make(chan string)
		go func() { result <- c.call(t, "sign_in", nil) }()
		p.approve <- errors.New("the user said no")
		outcome := await.Receive(t, "the outcome", result)
		wantParts(t, outcome, "explained: the user said no")
		if !strings.Contains(outcome, "WDJB-MJHT") { // otherwise the call came after the denial, and started again
			wantParts(t, c.call(t, "sign_in", nil), "WDJB-MJHT")
		}
		result = make(chan string)
		go func() { result <- c.call(t, "sign_in", nil) }()
		p.approve <- nil
		wantParts(t, await.Receive(t, "the outcome", result), "Signed in")
	})
}

// TestSignInByAnotherProgram: a sign-in by another program is noticed, and the client is
// notified.
func TestSignInByAnotherProgram(t *testing.T) {
	eachMode(t, false, func(t *testing.T, p *siteUser) {
		c := p.open(t, mcp.ClientOptions{})
		c.tools(t)
		p.site.login(t)
		await.Receive(t, "the notification of changed tools", c.changed)
		if got := c.tools(t); slices.Contains(got, "sign_in") {
			t.Errorf("tools %q", got)
		}
	})
}

// TestSignInByPage: a client that can open URLs is asked to, whatever its user
// responds.
func TestSignInByPage(t *testing.T) {
	for _, action := range []string{"accept", "decline", "cancel"} {
		eachMode(t, false, func(t *testing.T, p *siteUser) {
			requests, completed := make(chan *mcp.ElicitParams, 9), make(chan string, 9)
			c := p.open(t, mcp.ClientOptions{
				Capabilities: &mcp.ClientCapabilities{Elicitation: &mcp.ElicitationCapabilities{URL: &mcp.URLElicitationCapabilities{}}},
				ElicitationHandler: func(_ context.Context, r *mcp.ElicitRequest) (*mcp.ElicitResult, error) {
					requests <- r.Params
					return &mcp.ElicitResult{Action: action}, nil
				},
				ElicitationCompleteHandler: func(_ context.Context, r *mcp.ElicitationCompleteNotificationRequest) {
					completed <- r.Params.ElicitationID
				},
			})
			result := make(chan string, 1)
			go func() { result <- c.call(t, "sign_in", nil) }()
			page := await.Receive(t, "the request to open a page", requests)
			if page.Mode != "url" || page.URL != "https://as.test/device?user_code=WDJB-MJHT" {
				t.Errorf("asked for %+v", page)
			}
			wantParts(t, page.Message, "WDJB-MJHT", "mcp-login on host", "Approve only if you started this sign-in")
			if action != "accept" {
				wantParts(t, await.Receive(t, "a text instead of the page", result), page.URL, "WDJB-MJHT")
			}
			p.approve <- nil
			if id := await.Receive(t, "the end of the page", completed); id != page.ElicitationID {
				t.Errorf("the completed page is %q, want %q", id, page.ElicitationID)
			}
			if action == "accept" {
				wantParts(t, await.Receive(t, "the outcome", result), "Signed in")
			}
		})
	}
}

// TestTwoProxiesShareASignIn: two proxies show the same code, and one approval
// signs both in.
func TestTwoProxiesShareASignIn(t *testing.T) {
	eachMode(t, false, func(t *testing.T, p *siteUser) {
		one, two := p.open(t, mcp.ClientOptions{}), p.open(t, mcp.ClientOptions{})
		one.call(t, "sign_in", nil)
		wantParts(t, two.call(t, "sign_in", nil), "WDJB-MJHT")
		p.approve <- nil
		for _, c := range []*client{one, two} {
			wantParts(t, c.call(t, "sign_in", nil), "Signed in")
		}
		if n := p.logins.Load(); n != 1 {
			t.Errorf("%d logins, want 1", n)
		}
	})
}
