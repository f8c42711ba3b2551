package proxy_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mcp-login/mcp-login/internal/await"
	"github.com/mcp-login/mcp-login/internal/proxy"
)

// send sends a request to a proxy's handler.
func send(t *testing.T, h proxy.HTTP, method, target string, header http.Header, body string) *http.Response {
	t.Helper()
	handler, err := h.Handler()
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json, text/event-stream")
	for name, values := range header {
		r.Header[name] = values
	}
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	return w.Result()
}

func bodyText(t *testing.T, resp *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestAuthentication: a request is accepted if it has the token and names this machine.
func TestAuthentication(t *testing.T) {
	s := newSite(t, respondWith(200, "application/json", pingReply))
	up := s.upstream(t)
	valid := http.Header{"Authorization": {"Bearer local"}}
	with := func(name, value string) http.Header {
		h := valid.Clone()
		h.Set(name, value)
		return h
	}
	for _, tt := range []struct {
		name   string
		token  string
		method string
		url    string
		header http.Header
		want   int
	}{
		{"header", "local", "POST", "http://127.0.0.1:7/mcp", valid, 200},
		{"path", "local", "POST", "http://localhost:7/local", nil, 200},
		{"longer path", "local", "POST", "http://[::1]:7/local/mcp", nil, 200},
		{"no token", "local", "POST", "http://127.0.0.1:7/mcp", nil, 401},
		{"wrong token", "local", "POST", "http://127.0.0.1:7/loca", http.Header{"Authorization": {"Bearer locall"}}, 401},
		{"token as query", "local", "POST", "http://127.0.0.1:7/mcp?local", nil, 401},
		{"DNS rebinding", "local", "POST", "http://evil.example:7/local", valid, 403},
		{"name that looks like loopback", "local", "POST", "http://127.0.0.1.evil.example/local", valid, 403},
		{"page of another site", "local", "POST", "http://127.0.0.1:7/local", with("Origin", "https://evil.example"), 403},
		{"page with an opaque origin", "local", "POST", "http://127.0.0.1:7/local", with("Origin", "null"), 403},
		{"page on another port", "local", "POST", "http://127.0.0.1:7/local", with("Origin", "http://127.0.0.1:8"), 403},
		{"page of the proxy", "local", "POST", "http://127.0.0.1:7/local", with("Origin", "http://127.0.0.1:7"), 200},
		{"method", "local", "PUT", "http://127.0.0.1:7/local", nil, 405},
		{"preflight", "local", "OPTIONS", "http://127.0.0.1:7/local", nil, 405},
		{"socket", "", "POST", "http://any.name/mcp", nil, 200},
	} {
		t.Run(tt.name, func(t *testing.T) {
			resp := send(t, proxy.HTTP{Upstream: up, Token: tt.token}, tt.method, tt.url, tt.header, pingRequest)
			if resp.StatusCode != tt.want {
				t.Errorf("status %d, want %d: %s", resp.StatusCode, tt.want, bodyText(t, resp))
			}
			if strings.Contains(resp.Header.Get("WWW-Authenticate"), "resource_metadata") {
				t.Error("the client received the server's challenge")
			}
		})
	}
}

// TestForwardedHeaders: headers that identify the user are not forwarded, in either
// direction.
func TestForwardedHeaders(t *testing.T) {
	s := newSite(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Set-Cookie", "a=b")
		w.Header().Set("Mcp-Session-Id", "s1")
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, pingReply)
	}))
	resp := send(t, proxy.HTTP{Upstream: s.upstream(t), Token: "local"}, "POST", "http://127.0.0.1:7/local/elsewhere?q=1", http.Header{
		"Authorization": {"Bearer local"}, "Cookie": {"c=d"}, "Origin": {"http://127.0.0.1:7"}, "Referer": {"http://127.0.0.1:7/local"},
		"X-Forwarded-For": {"10.0.0.1"}, "Forwarded": {"for=10.0.0.1"}, "Sec-Fetch-Site": {"same-origin"}, "Dpop": {"x"},
		"Mcp-Session-Id": {"s1"}, "Mcp-Protocol-Version": {"2026-07-28"}, "Mcp-Method": {"ping"},
	}, pingRequest)
	if got := bodyText(t, resp); got != pingReply || resp.Header.Get("Set-Cookie") != "" || resp.Header.Get("Mcp-Session-Id") != "s1" {
		t.Errorf("response %q, headers %v", got, resp.Header)
	}
	got := s.requests("POST")[0]
	if got.URL.String() != "/mcp" || got.Host != strings.TrimPrefix(s.URL, "http://") || got.Header.Get("Authorization") != "Bearer token-1" {
		t.Errorf("URL %s at %s, Authorization %q", got.URL, got.Host, got.Header.Get("Authorization"))
	}
	for _, name := range []string{"Cookie", "Origin", "Referer", "X-Forwarded-For", "Forwarded", "Sec-Fetch-Site", "Dpop"} {
		if got.Header.Get(name) != "" {
			t.Errorf("%s was forwarded", name)
		}
	}
	for _, name := range []string{"Mcp-Session-Id", "Mcp-Protocol-Version", "Mcp-Method"} {
		if got.Header.Get(name) == "" {
			t.Errorf("%s was not forwarded", name)
		}
	}
}

// TestHeaderAliases: a client cannot send a header that a gateway would confuse
// with one of this program.
func TestHeaderAliases(t *testing.T) {
	s := newSite(t, respondWith(200, "application/json", pingReply))
	bodyText(t, send(t, proxy.HTTP{Upstream: s.upstream(t), Token: "local"}, "POST", "http://127.0.0.1:7/local", http.Header{
		"X_Team": {"red"}, "Mcp_Method": {"tools/call"}, "mcp-Session_id": {"s2"}, "X-Trace": {"1"},
	}, pingRequest))
	got := s.requests("POST")[0].Header
	for name := range got {
		if strings.Contains(name, "_") {
			t.Errorf("%s was forwarded", name)
		}
	}
	if got.Get("X-Trace") != "1" {
		t.Error("X-Trace was not forwarded")
	}
}

// TestChallengesAreNotForwarded: a client does not see the server's challenge,
// because it cannot get a token itself.
func TestChallengesAreNotForwarded(t *testing.T) {
	for _, tt := range []struct {
		name   string
		answer http.HandlerFunc
		want   string
	}{
		{"token", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("WWW-Authenticate", `Bearer resource_metadata="https://x"`)
			w.WriteHeader(401)
		}, "rejects the token"},
		{"scope", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("WWW-Authenticate", `Bearer error="insufficient_scope", scope="a b", resource_metadata="https://x"`)
			w.WriteHeader(403)
		}, "more scopes: a b"},
		{"redirect", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "https://evil.example/")
			w.WriteHeader(307)
		}, "redirects"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newSite(t, tt.answer)
			h := proxy.HTTP{Upstream: s.upstream(t)}
			resp := send(t, h, "POST", "http://127.0.0.1/", nil, pingRequest)
			got := bodyText(t, resp)
			if resp.StatusCode != 200 || !strings.Contains(got, `"id":"p","error":{"code":-32000,"message":"explained: `) || !strings.Contains(got, tt.want) {
				t.Errorf("%d %s, want an error for p with %q", resp.StatusCode, got, tt.want)
			}
			resp = send(t, h, "GET", "http://127.0.0.1/", nil, "")
			if resp.StatusCode != http.StatusBadGateway || resp.Header.Get("WWW-Authenticate") != "" || resp.Header.Get("Location") != "" {
				t.Errorf("GET: %s, headers %v", resp.Status, resp.Header)
			}
		})
	}
}

// sendRaw sends text on a separate connection and returns everything received until it
// is closed.
func sendRaw(t *testing.T, address, text string) string {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(await.Limit)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(conn)
	if err != nil {
		t.Errorf("the connection is not closed: %v", err)
	}
	return string(got)
}

// serve serves a proxy in front of a site, and returns its address.
func serve(t *testing.T, h proxy.HTTP) string {
	t.Helper()
	handler, err := h.Handler()
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(handler)
	t.Cleanup(func() {
		web.CloseClientConnections()
		web.Close()
	})
	return web.Listener.Addr().String()
}

// TestUnauthenticatedConnections: without the token the connection is closed, even
// before the rest of the request.
func TestUnauthenticatedConnections(t *testing.T) {
	s := newSite(t, respondWith(200, "application/json", pingReply))
	var admitted atomic.Int32
	at := serve(t, proxy.HTTP{Upstream: s.upstream(t), Token: "local", Authenticated: func(*http.Request) { admitted.Add(1) }})
	for name, tt := range map[string]struct{ request, want string }{
		"GET":          {"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "401"},
		"unfinished":   {"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{", "401"},
		"chunks":       {"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n", "401"},
		"another host": {"POST / HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 9\r\n\r\n{", "403"},
		"two requests": {"GET / HTTP/1.1\r\nHost: localhost\r\n\r\nGET /local HTTP/1.1\r\nHost: localhost\r\n\r\n", "401"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := sendRaw(t, at, tt.request); !strings.HasPrefix(got, "HTTP/1.1 "+tt.want+" ") || strings.Count(got, "HTTP/1.1") != 1 {
				t.Errorf("got %q", got)
			}
		})
	}
	t.Cleanup(func() {
		if n := admitted.Load(); n != 0 {
			t.Errorf("%d clients were admitted", n)
		}
	})
}

// TestAdmitted: admitted clients are reported.
func TestAdmitted(t *testing.T) {
	s := newSite(t, respondWith(200, "application/json", pingReply))
	n := 0
	resp := send(t, proxy.HTTP{Upstream: s.upstream(t), Token: "local", Authenticated: func(*http.Request) { n++ }}, "POST", "http://localhost/local", nil, pingRequest)
	if got := bodyText(t, resp); got != pingReply || n != 1 {
		t.Errorf("%d clients were admitted, response %q", n, got)
	}
}

// TestInformationalResponses: informational responses and protocol upgrades of a
// server are not forwarded.
func TestInformationalResponses(t *testing.T) {
	answer := "HTTP/1.1 103 Early Hints\r\nSet-Cookie: a=b\r\nWWW-Authenticate: Bearer resource_metadata=\"https://x\"\r\n\r\n"
	for name, tt := range map[string]struct{ rest, want string }{
		"hints":  {"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}", "HTTP/1.1 200 OK"},
		"switch": {"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\nanything", "HTTP/1.1 502"},
		"bare":   {"HTTP/1.1 101 Switching Protocols\r\n\r\nanything", "HTTP/1.1 502"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			upgrades := make(chan string, 1)
			s := newSite(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				upgrades <- r.Header.Get("Upgrade") + r.Header.Get("Connection")
				conn, _, err := http.NewResponseController(w).Hijack()
				if err != nil {
					t.Error(err)
					return
				}
				defer conn.Close()
				io.WriteString(conn, answer+tt.rest)
			}))
			at := serve(t, proxy.HTTP{Upstream: s.upstream(t), Token: "local"})
			got := sendRaw(t, at, "GET /local HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, close\r\nUpgrade: x\r\n\r\n")
			if !strings.HasPrefix(got, tt.want) || strings.Contains(got, "Set-Cookie") || strings.Contains(got, "anything") || strings.Contains(got, "resource_metadata") {
				t.Errorf("got %q", got)
			}
			if got := <-upgrades; got != "" {
				t.Errorf("the server received an upgrade request: %q", got)
			}
		})
	}
}

// TestClientDisconnects: the request of a client that has disconnected ends at the
// server too.
func TestClientDisconnects(t *testing.T) {
	began, ended := make(chan struct{}, 1), make(chan struct{}, 1)
	s := newSite(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began <- struct{}{}
		silentServer().ServeHTTP(w, r)
		ended <- struct{}{}
	}))
	at := serve(t, proxy.HTTP{Upstream: s.upstream(t), Token: "local"})
	for _, method := range []string{"GET", "POST"} {
		ctx, leave := context.WithCancel(t.Context())
		go func() {
			<-began
			leave()
		}()
		req, err := http.NewRequestWithContext(ctx, method, "http://"+at+"/local", strings.NewReader(pingRequest))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err == nil {
			_, _ = io.Copy(io.Discard, resp.Body) // until the client disconnects
			resp.Body.Close()
		}
		await.Receive(t, "end of "+method+" at the server", ended)
		leave()
	}
}

// TestLongRequest: a request that is too long to be kept for a retry is forwarded
// too.
func TestLongRequest(t *testing.T) {
	s := newSite(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, err := io.Copy(io.Discard, r.Body)
		if err != nil || n != 10_000_000 {
			t.Errorf("the server received %d bytes, %v", n, err)
		}
		w.WriteHeader(http.StatusAccepted)
	}))
	resp := send(t, proxy.HTTP{Upstream: s.upstream(t)}, "POST", "http://127.0.0.1/", nil, strings.Repeat("x", 10_000_000))
	if resp.StatusCode != http.StatusAccepted {
		t.Errorf("status %d", resp.StatusCode)
	}
}

// TestAnswerToUnfinishedRequest: the response to a long request may begin before
// the request is complete.
func TestAnswerToUnfinishedRequest(t *testing.T) {
	s := newSite(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := http.NewResponseController(w)
		if err := c.EnableFullDuplex(); err != nil {
			t.Error(err)
		}
		w.Header().Set("Content-Type", "text/event-stream")
		io.WriteString(w, "data: begun\n\n")
		_ = c.Flush()
		n, err := io.Copy(io.Discard, r.Body)
		fmt.Fprintf(w, "data: %d %v\n\n", n, err)
	}))
	at := serve(t, proxy.HTTP{Upstream: s.upstream(t), Token: "local"})
	body, rest := io.Pipe()
	go rest.Write(bytes.Repeat([]byte("x"), 5_000_000))
	resp, err := http.Post("http://"+at+"/local", "application/json", body)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	go func() {
		rest.Write([]byte("end"))
		rest.Close()
	}()
	if got := bodyText(t, resp); got != "data: begun\n\ndata: 5000003 <nil>\n\n" {
		t.Errorf("got %q", got)
	}
}
