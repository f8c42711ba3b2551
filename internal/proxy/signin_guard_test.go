package proxy_test

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/flows"
	"github.com/mcp-login/mcp-login/flows/authcode"
	"github.com/mcp-login/mcp-login/flows/device"
	"github.com/mcp-login/mcp-login/internal/await"
	"github.com/mcp-login/mcp-login/internal/proxy"
	"github.com/mcp-login/mcp-login/internal/proxystate"
)

// TestRejectedRequestsStartNoSignIn: a request that the listener rejects, above all
// from a page of another site, can neither start a sign-in nor see one.
func TestRejectedRequestsStartNoSignIn(t *testing.T) {
	p := newSiteUser(t, newTools().handler(false))
	h := proxy.HTTP{Upstream: p.upstream(t), Token: "local"}
	valid := http.Header{"Authorization": {"Bearer local"}}
	with := func(name, value string) http.Header {
		header := valid.Clone()
		header.Set(name, value)
		return header
	}
	call := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"sign_in"}}`
	for name, tt := range map[string]struct {
		method, url, body string
		header            http.Header
	}{
		"no token":                   {"POST", "http://127.0.0.1:7/mcp", call, nil},
		"page of another site":       {"POST", "http://127.0.0.1:7/local", call, with("Origin", "https://evil.example")},
		"page with an opaque origin": {"POST", "http://127.0.0.1:7/local", call, with("Origin", "null")},
		"DNS rebinding":              {"POST", "http://evil.example:7/local", call, valid},
		"preflight":                  {"OPTIONS", "http://127.0.0.1:7/local", call, with("Origin", "https://evil.example")},
		"link":                       {"GET", "http://127.0.0.1:7/local?name=sign_in", "", valid},
		"unknown client":             {"POST", "http://127.0.0.1:7/local", call, with("Mcp-Session-Id", "mcp-login-guessed")},
	} {
		resp := send(t, h, tt.method, tt.url, tt.header, tt.body)
		if got := bodyText(t, resp); resp.StatusCode < 400 || strings.Contains(got, "WDJB") || resp.Header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: status %d: %s", name, resp.StatusCode, got)
		}
	}
	if n := p.logins.Load(); n != 0 {
		t.Errorf("%d sign-ins started", n)
	}
	wantParts(t, bodyText(t, send(t, h, "POST", "http://127.0.0.1:7/local", valid, call)), "WDJB-MJHT")
}

// TestAnswersOfOtherClients: the user's response to a prompt counts only for the
// client that sent it.
func TestAnswersOfOtherClients(t *testing.T) {
	p := newSiteUser(t, newTools().handler(false))
	endpoint := url(t, p.upstream(t))
	requests, done := make(chan *mcp.ElicitParams, 9), make(chan struct{})
	c := open(t, &mcp.StreamableClientTransport{Endpoint: endpoint, MaxRetries: -1}, mcp.ClientOptions{
		Capabilities: pageCapabilities,
		ElicitationHandler: func(ctx context.Context, r *mcp.ElicitRequest) (*mcp.ElicitResult, error) {
			requests <- r.Params
			<-done
			return &mcp.ElicitResult{Action: "accept"}, nil
		},
	})
	result := make(chan string, 1)
	go func() { result <- c.call(t, "sign_in", nil) }()
	page := await.Receive(t, "the request to open a page", requests)

	answer := `{"jsonrpc":"2.0","id":"mcp-login-` + page.ElicitationID + `","result":{"action":"decline"}}`
	resp, err := http.Post(endpoint, "application/json", strings.NewReader(answer))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	close(done)
	p.approve <- nil
	wantParts(t, await.Receive(t, "the outcome", result), "Signed in")
}

// TestOnlyValidURLsAreShown: a URL from the server or a shared file is shown
// only if it is a web page.
func TestOnlyValidURLsAreShown(t *testing.T) {
	for _, address := range []string{
		"javascript:alert(1)", "file:///etc/passwd", "http://as.test/device", "https://user@as.test/", "https://as.test/\x1b[2J", "x-app://sign-in", "//as.test",
	} {
		shows := map[string]func(context.Context, *proxy.Prompt){
			"code": func(ctx context.Context, prompt *proxy.Prompt) {
				prompt.ShowCode(ctx, device.Code{UserCode: "WDJB-MJHT", VerificationURI: address, VerificationURIComplete: address, Hosts: flows.Hosts{Server: "mcp.test"}})
			},
			"link": func(ctx context.Context, prompt *proxy.Prompt) {
				prompt.ShowLink(ctx, authcode.Link{URL: address, Hosts: flows.Hosts{Server: "mcp.test"}})
			},
			"another process": nil,
		}
		for name, show := range shows {
			p := newSiteUser(t, newTools().handler(false))
			up := p.upstream(t)
			if show == nil {
				other := proxystate.Of(p.dir, "box", up.Server)
				if err := os.MkdirAll(p.dir, 0o700); err != nil {
					t.Fatal(err)
				}
				unlock, locked, err := other.TryLock()
				if err != nil || !locked {
					t.Fatal(locked, err)
				}
				defer unlock()
				if err := other.Show(proxystate.Page{URL: address, Plain: address, Code: "WDJB\x1b-MJHT", Server: "mcp.test"}); err != nil {
					t.Fatal(err)
				}
			}
			up.SignIn.Login = func(ctx context.Context, prompt *proxy.Prompt, _ []string) (c mcplogin.Credential, err error) {
				show(ctx, prompt)
				<-ctx.Done()
				return c, ctx.Err()
			}
			c := open(t, stdio(t, proxy.Stdio{Upstream: up, Drain: time.Millisecond}), mcp.ClientOptions{
				Capabilities: pageCapabilities,
				ElicitationHandler: func(_ context.Context, r *mcp.ElicitRequest) (*mcp.ElicitResult, error) {
					t.Errorf("%s: requested to open %q", name, r.Params.URL)
					return &mcp.ElicitResult{Action: "decline"}, nil
				},
			})
			if got := c.call(t, "sign_in", nil); strings.Contains(got, address) || strings.Contains(got, "\x1b") {
				t.Errorf("%s: %q", name, got)
			}
		}
	}
}

// TestNothingSecretIsShared: the files shared by the proxies of a profile contain
// no token.
func TestNothingSecretIsShared(t *testing.T) {
	p := newSiteUser(t, newTools().handler(false))
	c := p.open(t, mcp.ClientOptions{})
	c.call(t, "sign_in", nil)
	p.approve <- nil
	wantParts(t, c.call(t, "sign_in", nil), "Signed in")
	c.tools(t)
	files, err := filepath.Glob(filepath.Join(p.dir, "*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%q, %v", files, err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{"token-1", "refresh"} {
			if strings.Contains(string(data), secret) {
				t.Errorf("%s holds %q", file, secret)
			}
		}
		if json.Valid(data) && strings.HasSuffix(file, ".page.json") {
			t.Errorf("%s is left", file)
		}
	}
}

// TestClientsOfOneListener: all clients of a listener share one sign-in, and have
// separate sessions at the server afterwards.
func TestClientsOfOneListener(t *testing.T) {
	ts := newTools()
	p := newSiteUser(t, ts.handler(false))
	endpoint := url(t, p.upstream(t))
	var all []*client
	for range 3 {
		all = append(all, open(t, &mcp.StreamableClientTransport{Endpoint: endpoint, MaxRetries: -1}, mcp.ClientOptions{}))
	}
	for _, c := range all {
		wantParts(t, c.call(t, "sign_in", nil), "WDJB-MJHT")
	}
	p.approve <- nil
	for _, c := range all {
		wantParts(t, c.call(t, "sign_in", nil), "Signed in")
		await.Receive(t, "the notification of changed tools", c.changed)
		if got := c.call(t, "add", map[string]any{"A": 2, "B": 3}); got != "5" {
			t.Errorf("2 + 3 = %q", got)
		}
		await.True(t, "the server's own message arrives", func() bool { return c.isNotified(ts) })
	}
	if n := p.logins.Load(); n != 1 {
		t.Errorf("%d logins, want 1", n)
	}
	sessions := map[string]bool{}
	for _, r := range p.requests(http.MethodPost) {
		if id := r.Header.Get("Mcp-Session-Id"); id != "" {
			sessions[id] = true
		}
	}
	if len(sessions) != len(all) {
		t.Errorf("%d sessions at the server, want %d", len(sessions), len(all))
	}
}

// TestManyClientsOfOneListener: the least recently used clients are dropped, and
// start again.
func TestManyClientsOfOneListener(t *testing.T) {
	p := newSiteUser(t, newTools().handler(false))
	post := p.poster(t)
	var sessions []string
	for range 300 {
		resp := post("", `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"many","version":"1"}}}`)
		sessions = append(sessions, resp.Header.Get("Mcp-Session-Id"))
	}
	for i, want := range map[int]int{0: http.StatusNotFound, 299: http.StatusOK} {
		if resp := post(sessions[i], pingRequest); resp.StatusCode != want {
			t.Errorf("client %d: status %d, want %d", i, resp.StatusCode, want)
		}
	}
}
