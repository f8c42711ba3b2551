package proxy_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/mcp-login/mcp-login/internal/httpsse"
	"github.com/mcp-login/mcp-login/internal/proxy"
	"github.com/mcp-login/mcp-login/internal/toolfilter"
)

// denying returns an upstream that denies the tools that match a pattern.
func denying(t *testing.T, up proxy.Upstream, pattern string) proxy.Upstream {
	t.Helper()
	var err error
	if up.Tools, err = toolfilter.New(toolfilter.Rules{Deny: []string{pattern}}, nil); err != nil {
		t.Fatal(err)
	}
	return up
}

// TestFilteredTools: denied tools are neither listed nor callable, in each mode of
// the proxy, each protocol and each transport of the server.
func TestFilteredTools(t *testing.T) {
	for mode, open := range modes {
		for _, wire := range protocols {
			t.Run(mode+"/"+wire.version, func(t *testing.T) {
				ts := newTools()
				s := newSite(t, ts.handler(wire.stateless))
				filteredTools(t, ts, connect(t, open(t, denying(t, s.upstream(t), "H*")), wire.version))
			})
		}
		t.Run(mode+"/sse", func(t *testing.T) {
			ts := newTools()
			s := newSite(t, oldTransport(ts))
			up := denying(t, s.upstream(t), "H*")
			up.Transport = &httpsse.Transport{Base: http.DefaultTransport, Server: up.Server}
			filteredTools(t, ts, connect(t, open(t, up), "2025-11-25"))
		})
	}
}

func filteredTools(t *testing.T, ts *tools, c *client) {
	t.Helper()
	_, err := c.CallTool(t.Context(), &mcp.CallToolParams{Name: "hang"}) // before the client has a list
	if err == nil || !strings.Contains(err.Error(), "hang") || !strings.Contains(err.Error(), "--deny-tool H*") {
		t.Errorf("hang: %v", err)
	}
	if got := c.call(t, "add", map[string]any{"A": 20, "B": 3}); got != "23" {
		t.Errorf("add = %s", got)
	}
	found, err := c.ListTools(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(found.Tools) != 4 || slices.ContainsFunc(found.Tools, func(tool *mcp.Tool) bool { return tool.Name == "hang" }) {
		t.Errorf("%d tools", len(found.Tools))
	}
	if len(ts.ended) > 0 {
		t.Error("hang was called")
	}
}

// oldTransport serves tools by the HTTP+SSE transport of 2024-11-05.
func oldTransport(ts *tools) http.Handler {
	sse := mcp.NewSSEHandler(func(*http.Request) *mcp.Server { return ts.Server }, nil)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost && r.URL.RawQuery == "" {
			http.Error(w, "no", http.StatusMethodNotAllowed)
			return
		}
		sse.ServeHTTP(w, r)
	})
}

// TestFilterIsFirst: a call of a denied tool does not prompt for a sign-in, and the
// sign-in tool is available with any rules.
func TestFilterIsFirst(t *testing.T) {
	eachMode(t, false, func(t *testing.T, p *siteUser) {
		c := open(t, modes[p.mode](t, denying(t, p.upstream(t), "*")), mcp.ClientOptions{})
		p.wantDenied(t, c)
		if got := c.tools(t); !slices.Equal(got, []string{"sign_in"}) {
			t.Errorf("listed %q", got)
		}
	})
}

// TestFilterOfKnownTools: while the user is signed out, only allowed tools are
// listed, and the call of a denied one does not prompt for a sign-in.
func TestFilterOfKnownTools(t *testing.T) {
	for _, wire := range protocols {
		eachMode(t, wire.stateless, func(t *testing.T, p *siteUser) {
			p.site.login(t)
			c := open(t, modes[p.mode](t, denying(t, p.upstream(t), "H*")), mcp.ClientOptions{})
			before := c.tools(t)
			p.waitForCachedTools(t)
			p.expireLogin()
			p.wantDenied(t, c)
			if got := c.tools(t); slices.Contains(got, "hang") || !slices.Equal(got, append([]string{"sign_in"}, before...)) {
				t.Errorf("listed %q, want sign_in and %q", got, before)
			}
			next := open(t, modes[p.mode](t, denying(t, p.upstream(t), "H*")), mcp.ClientOptions{}) // in another process
			p.wantDenied(t, next)
			if got := next.tools(t); !slices.Equal(got, append([]string{"sign_in"}, before...)) {
				t.Errorf("another process lists %q, want sign_in and %q", got, before)
			}
		})
	}
}

// wantDenied checks that a client cannot call the tool that hangs, and that no sign-in
// begins.
func (p *siteUser) wantDenied(t *testing.T, c *client) {
	t.Helper()
	if _, err := c.CallTool(t.Context(), &mcp.CallToolParams{Name: "hang"}); err == nil || !strings.Contains(err.Error(), "not allowed") {
		t.Errorf("hang: %v", err)
	}
	if n := p.logins.Load(); n != 0 {
		t.Errorf("%d sign-ins started", n)
	}
}

// TestFilterInLostSession: if the server has lost the client's session, listing the
// tools for a call begins a new one.
func TestFilterInLostSession(t *testing.T) {
	ts := newTools()
	s := newSite(t, ts.handler(false))
	c := connect(t, stdio(t, proxy.Stdio{Upstream: denying(t, s.upstream(t), "h*")}), "2025-11-25")
	s.mu.Lock()
	s.mcp = ts.handler(false) // in another process
	s.mu.Unlock()
	if got := c.call(t, "add", map[string]any{"A": 1, "B": 1}); got != "2" {
		t.Errorf("add = %s", got)
	}
}
