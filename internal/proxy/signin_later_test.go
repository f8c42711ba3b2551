package proxy_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/mcp-login/mcp-login/internal/await"
	"github.com/mcp-login/mcp-login/internal/httpsse"
)

// pageCapabilities are the capabilities of a client that can open URLs.
var pageCapabilities = &mcp.ClientCapabilities{Elicitation: &mcp.ElicitationCapabilities{URL: &mcp.URLElicitationCapabilities{}}}

// intercepting returns h, but calls see with the text of each request first.
func intercepting(t *testing.T, h http.Handler, handle func(w http.ResponseWriter, body []byte) (done bool)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		if !handle(w, body) {
			h.ServeHTTP(w, r)
		}
	})
}

// expireLogin makes the server reject the token and the refresh token.
func (p *siteUser) expireLogin() {
	p.expire()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.site.mu.Lock()
	defer p.site.mu.Unlock()
	p.refreshRejected = true
}

// TestSignInWhenRefreshTokenIsInvalid: a call gets a response with the approval URL
// instead, and after the approval calls are forwarded again, in the same session.
func TestSignInWhenRefreshTokenIsInvalid(t *testing.T) {
	for _, wire := range protocols {
		eachMode(t, wire.stateless, func(t *testing.T, p *siteUser) {
			p.site.login(t)
			c := p.open(t, mcp.ClientOptions{})
			if got := c.InitializeResult().ProtocolVersion; got != wire.version {
				t.Errorf("protocol %s, want %s", got, wire.version)
			}
			before := c.tools(t)
			p.waitForCachedTools(t)
			p.expireLogin()

			result, err := c.CallTool(t.Context(), &mcp.CallToolParams{Name: "add", Arguments: map[string]any{"A": 2, "B": 3}})
			if err != nil || !result.IsError {
				t.Fatalf("%+v, %v, want an error of the tool", result, err)
			}
			wantParts(t, result.Content[0].(*mcp.TextContent).Text, "https://as.test/device?user_code=WDJB-MJHT", "code WDJB-MJHT")
			if got := c.tools(t); !slices.Equal(got, append([]string{"sign_in"}, before...)) {
				t.Errorf("tools %q, want sign_in and %q", got, before)
			}
			sum := make(chan string)
			go func() { sum <- c.call(t, "add", map[string]any{"A": 2, "B": 3}) }()
			p.approve <- nil
			if got := await.Receive(t, "the sum", sum); got != "5" {
				t.Errorf("2 + 3 = %q", got)
			}
			if !wire.stateless {
				await.Receive(t, "the notification of changed tools", c.changed)
			}
			if got := c.tools(t); !slices.Equal(got, before) {
				t.Errorf("tools %q, want %q", got, before)
			}
			if n := p.logins.Load(); n != 1 {
				t.Errorf("%d logins, want 1", n)
			}
		})
	}
}

// TestSignInForMoreScopes: a tool that requires more scopes makes the user sign in
// for exactly those, and is called then.
func TestSignInForMoreScopes(t *testing.T) {
	for _, wire := range protocols {
		for mode := range modes {
			t.Run(mode+" "+wire.version, func(t *testing.T) {
				var granted atomic.Bool
				p := newSiteUser(t, intercepting(t, newTools().handler(wire.stateless), func(w http.ResponseWriter, body []byte) bool {
					if !bytes.Contains(body, []byte(`"add"`)) || granted.Load() {
						return false
					}
					w.Header().Set("WWW-Authenticate", `Bearer error="insufficient_scope", scope="sums:write"`)
					http.Error(w, "no", http.StatusForbidden)
					return true
				}))
				p.mode = mode
				p.site.login(t)
				c := p.open(t, mcp.ClientOptions{})
				if got := c.call(t, "text", map[string]any{"N": 1}); got != "x" {
					t.Errorf("text = %q", got)
				}
				wantParts(t, c.call(t, "add", map[string]any{"A": 2, "B": 3}), "WDJB-MJHT")
				sum := make(chan string)
				go func() { sum <- c.call(t, "add", map[string]any{"A": 2, "B": 3}) }()
				granted.Store(true)
				p.approve <- nil
				if got := await.Receive(t, "the sum", sum); got != "5" {
					t.Errorf("2 + 3 = %q", got)
				}
				wantParts(t, c.call(t, "sign_in", nil), "Signed in")
				if p.mu.Lock(); len(p.scopes) != 1 || !slices.Equal(p.scopes[0], []string{"sums:write"}) {
					t.Errorf("signed in for %q", p.scopes)
				}
				p.mu.Unlock()
			})
		}
	}
}

// TestSignInByInput: in the protocol without sessions, the response to a call
// requests that the user opens a URL, and the second attempt of the call waits. A
// client that does not support that gets a text.
func TestSignInByInput(t *testing.T) {
	for _, tt := range []struct {
		client, action string
		requested      bool
	}{{"client", "accept", true}, {"client", "decline", true}, {"github-copilot-cli", "", false}} {
		states := make(chan string, 99)
		h := intercepting(t, newTools().handler(true), func(_ http.ResponseWriter, body []byte) bool {
			if bytes.Contains(body, []byte("requestState")) || bytes.Contains(body, []byte("inputResponses")) {
				states <- string(body)
			}
			return false
		})
		eachMode(t, true, func(t *testing.T, p *siteUser) {
			p.site.mcp = h
			p.site.login(t)
			requested := make(chan *mcp.ElicitParams, 9)
			opts := mcp.ClientOptions{Capabilities: pageCapabilities, ElicitationHandler: func(_ context.Context, r *mcp.ElicitRequest) (*mcp.ElicitResult, error) {
				requested <- r.Params
				return &mcp.ElicitResult{Action: tt.action}, nil
			}}
			c := &client{}
			var err error
			if c.ClientSession, err = mcp.NewClient(&mcp.Implementation{Name: tt.client}, &opts).Connect(t.Context(), modes[p.mode](t, p.upstream(t)), nil); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = c.Close() })
			p.expireLogin()
			result := make(chan string, 1)
			go func() { result <- c.call(t, "add", map[string]any{"A": 2, "B": 3}) }()
			if tt.requested {
				page := await.Receive(t, "the request to open a page", requested)
				if page.Mode != "url" || page.URL != "https://as.test/device?user_code=WDJB-MJHT" || page.ElicitationID != "" {
					t.Errorf("asked for %+v", page)
				}
				wantParts(t, page.Message, "WDJB-MJHT", "mcp-login on host", "Approve only if you started this sign-in")
			}
			if tt.action != "accept" {
				wantParts(t, await.Receive(t, "a text instead of the page", result), "WDJB-MJHT")
			}
			p.approve <- nil
			if tt.action == "accept" {
				if got := await.Receive(t, "the sum", result); got != "5" {
					t.Errorf("2 + 3 = %q", got)
				}
			}
			wantParts(t, c.call(t, "sign_in", nil), "Signed in")
			if len(requested) != 0 || len(states) != 0 {
				t.Errorf("%d requests too many; the server received %d responses meant for this program", len(requested), len(states))
			}
		})
	}
}

// delayingServer is a server that delays the response to a method until it is released.
type delayingServer struct {
	http.Handler
	method   string
	released chan struct{}
	once     sync.Once
}

func (s *delayingServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	if bytes.Contains(body, []byte(`"`+s.method+`"`)) {
		select {
		case <-s.released:
		case <-r.Context().Done():
			return
		}
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	s.Handler.ServeHTTP(w, r)
}

func (s *delayingServer) release() { s.once.Do(func() { close(s.released) }) }

// TestServerNeverAnswersDiscover: a client of a signed-in user continues with
// initialize after a short wait.
func TestServerNeverAnswersDiscover(t *testing.T) {
	for mode, transport := range modes {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			h := &delayingServer{Handler: newTools().handler(false), method: "server/discover", released: make(chan struct{})}
			p := newSiteUser(t, h)
			p.site.login(t)
			start := time.Now()
			c := open(t, transport(t, p.upstream(t)), mcp.ClientOptions{})
			if took := time.Since(start); took > await.Limit/2 {
				t.Errorf("the client has waited for %s", took)
			}
			await.True(t, "the server's tools are listed", func() bool { return slices.Contains(c.tools(t), "add") })
			if got := c.call(t, "add", map[string]any{"A": 2, "B": 3}); got != "5" {
				t.Errorf("2 + 3 = %q", got)
			}
		})
	}
}

// TestSlowServer: a client is served from cached data of the server, and is
// notified when that has changed.
func TestSlowServer(t *testing.T) {
	for mode, transport := range modes {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			ts := newTools()
			h := &delayingServer{Handler: ts.handler(false), method: "none", released: make(chan struct{})}
			p := newSiteUser(t, h)
			p.site.login(t)
			p.open(t, mcp.ClientOptions{}).tools(t)
			p.waitForCachedTools(t)
			ts.RemoveTools("ticks")
			h.method = "initialize"
			defer h.release()

			c := &client{changed: make(chan struct{}, 99)}
			var err error
			c.ClientSession, err = mcp.NewClient(&mcp.Implementation{Name: "client"}, &mcp.ClientOptions{
				ToolListChangedHandler: func(context.Context, *mcp.ToolListChangedRequest) { c.changed <- struct{}{} },
			}).Connect(t.Context(), transport(t, p.upstream(t)), &mcp.ClientSessionOptions{ProtocolVersion: "2025-11-25"})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = c.Close() })
			if got := c.tools(t); !slices.Contains(got, "ticks") || slices.Contains(got, "sign_in") {
				t.Errorf("tools %q, want the cached ones", got)
			}
			h.release()
			await.Receive(t, "the notification of changed tools", c.changed)
			if got := c.tools(t); slices.Contains(got, "ticks") {
				t.Errorf("tools %q, want the current ones", got)
			}
			if got := c.call(t, "add", map[string]any{"A": 2, "B": 3}); got != "5" {
				t.Errorf("2 + 3 = %q", got)
			}
		})
	}
}

// TestDiscoverWhileSignedOut: clients continue with initialize, and a cached
// response from before does not change that.
func TestDiscoverWhileSignedOut(t *testing.T) {
	eachMode(t, true, func(t *testing.T, p *siteUser) {
		p.site.login(t)
		if got := p.open(t, mcp.ClientOptions{}).InitializeResult().ProtocolVersion; got != "2026-07-28" {
			t.Errorf("signed in: protocol %s", got)
		}
		p.signOut(t)
		if got := p.open(t, mcp.ClientOptions{}).InitializeResult().ProtocolVersion; got != "2025-11-25" {
			t.Errorf("signed out: protocol %s", got)
		}
	})
}

// TestSignInSaysWhy: the client's user still gets the reason why the server could
// not be reached.
func TestSignInSaysWhy(t *testing.T) {
	eachMode(t, false, func(t *testing.T, p *siteUser) {
		p.site.mcp = intercepting(t, p.site.mcp, func(_ http.ResponseWriter, body []byte) bool {
			if bytes.Contains(body, []byte(`"add"`)) {
				panic(http.ErrAbortHandler)
			}
			return false
		})
		p.site.login(t)
		c := p.open(t, mcp.ClientOptions{})
		_, err := c.CallTool(t.Context(), &mcp.CallToolParams{Name: "add"})
		if err == nil || !strings.Contains(err.Error(), "explained: ") || errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v", err)
		}
		if n := p.logins.Load(); n != 0 {
			t.Errorf("%d logins", n)
		}
	})
}

// TestToolsAreListedBeforeTheAnswer: the sign-in tool responds after the client has
// listed the server's tools, because a model may use them immediately.
func TestToolsAreListedBeforeTheAnswer(t *testing.T) {
	eachMode(t, false, func(t *testing.T, p *siteUser) {
		var listed atomic.Bool
		p.site.mcp = intercepting(t, p.site.mcp, func(_ http.ResponseWriter, body []byte) bool {
			listed.Store(listed.Load() || bytes.Contains(body, []byte(`"tools/list"`)))
			return false
		})
		c := &client{}
		opts := mcp.ClientOptions{ToolListChangedHandler: func(context.Context, *mcp.ToolListChangedRequest) {
			go func() { _, _ = c.ListTools(t.Context(), nil) }()
		}}
		var err error
		if c.ClientSession, err = mcp.NewClient(&mcp.Implementation{Name: "client"}, &opts).Connect(t.Context(), modes[p.mode](t, p.upstream(t)), nil); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		wantParts(t, c.call(t, "sign_in", nil), "WDJB-MJHT")
		result := make(chan string, 1)
		go func() { result <- c.call(t, "sign_in", nil) }()
		p.approve <- nil
		wantParts(t, await.Receive(t, "the outcome", result), "Signed in")
		if !listed.Load() {
			t.Error("the response was sent before the client listed the tools")
		}
	})
}

// TestSignInAtOldTransport: a server of the HTTP+SSE transport works the same way.
func TestSignInAtOldTransport(t *testing.T) {
	sse := mcp.NewSSEHandler(func(*http.Request) *mcp.Server { return newTools().Server }, nil)
	eachMode(t, false, func(t *testing.T, p *siteUser) {
		p.site.mcp = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost && r.URL.RawQuery == "" {
				w.WriteHeader(http.StatusMethodNotAllowed)
				return
			}
			sse.ServeHTTP(w, r)
		})
		up := p.upstream(t)
		up.Transport = &httpsse.Transport{Base: http.DefaultTransport, Server: up.Server}
		c := open(t, modes[p.mode](t, up), mcp.ClientOptions{})
		wantParts(t, c.call(t, "sign_in", nil), "WDJB-MJHT")
		p.approve <- nil
		wantParts(t, c.call(t, "sign_in", nil), "Signed in")
		await.Receive(t, "the notification of changed tools", c.changed)
		if got := c.tools(t); !slices.Contains(got, "add") || slices.Contains(got, "sign_in") {
			t.Errorf("tools %q", got)
		}
		if got := c.call(t, "add", map[string]any{"A": 2, "B": 3}); got != "5" {
			t.Errorf("2 + 3 = %q", got)
		}
	})
}
