//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mcp-login/mcp-login/oauth/oauthtest"
)

// legacyServer is an example server of the TypeScript SDK, which does not check tokens,
// behind an authorization server that does.
type legacyServer struct {
	url     string
	as      *oauthtest.Server
	streams atomic.Int32 // number of streams that were opened

	mu       sync.Mutex // protects the fields below
	injected map[string]bool
	cancel   []context.CancelFunc // cancels the open streams
}

// startLegacyServer starts an example. Its path for event streams is served at /mcp.
func startLegacyServer(t *testing.T, example, path string) *legacyServer {
	t.Helper()
	port := freePorts(t)
	output := startExample(t, example, []string{fmt.Sprintf("E2E_PORT=%d", port)})
	output.await(t, regexp.MustCompile(`(listening|running) on`))
	s := &legacyServer{as: &oauthtest.Server{Device: oauthtest.Device{Interval: time.Second, AutoApprove: 1}}, injected: map[string]bool{}}
	target := &url.URL{Scheme: "http", Host: fmt.Sprintf("127.0.0.1:%d", port)}
	backend := duplex(&httputil.ReverseProxy{FlushInterval: -1, Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		r.Out.Host = target.Host
		r.Out.Header.Del("Authorization")
		if r.In.URL.Path == "/mcp" {
			r.Out.URL.Path = path
		}
	}})
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.serve(w, r, backend) }))
	t.Cleanup(func() {
		web.CloseClientConnections()
		web.Close()
	})
	s.url = web.URL + "/mcp"
	return s
}

// serve requires a token on the paths of the example. The count of a call selects a
// fault, which happens once: 6 returns 401, and 7 closes the streams first.
func (s *legacyServer) serve(w http.ResponseWriter, r *http.Request, backend http.Handler) {
	isMCP := r.URL.Path == "/mcp"
	if !isMCP && r.URL.Path != "/messages" {
		s.as.ServeHTTP(w, r)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client has disconnected
	}
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	routed := !isMCP || r.Method == http.MethodGet
	if routed && (!s.authorize(w, r) || !s.injectFault(w, body)) {
		return
	}
	if isMCP && r.Method == http.MethodGet {
		s.streams.Add(1)
		ctx, cancel := context.WithCancel(r.Context())
		defer cancel()
		s.mu.Lock()
		s.cancel = append(s.cancel, cancel)
		s.mu.Unlock()
		r = r.WithContext(ctx)
		defer func() { _ = recover() }() // the reverse proxy panics if its stream is canceled
	}
	backend.ServeHTTP(w, r)
}

// authorize lets the authorization server check the token, as for its own MCP server.
func (s *legacyServer) authorize(w http.ResponseWriter, r *http.Request) bool {
	requested := httptest.NewRequest(http.MethodPost, s.url, strings.NewReader("{}"))
	requested.Header.Set("Authorization", r.Header.Get("Authorization"))
	if requested.Header.Get("Authorization") == "" {
		requested.Header.Del("Authorization")
	}
	checked := httptest.NewRecorder()
	s.as.ServeHTTP(checked, requested)
	if checked.Code == http.StatusOK {
		return true
	}
	w.Header().Set("WWW-Authenticate", checked.Header().Get("WWW-Authenticate"))
	w.WriteHeader(checked.Code)
	return false
}

// injectFault injects the fault that the call selects, and reports whether the call
// continues.
func (s *legacyServer) injectFault(w http.ResponseWriter, body []byte) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	first := func(mark string) bool {
		is := bytes.Contains(body, []byte(mark)) && !s.injected[mark]
		s.injected[mark] = s.injected[mark] || is
		return is
	}
	switch {
	case first(`"count":6`):
		w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
		w.WriteHeader(http.StatusUnauthorized)
		return false
	case first(`"count":7`):
		for _, cancel := range s.cancel {
			cancel()
		}
		s.cancel = nil
		http.Error(w, "Session not found", http.StatusNotFound)
		return false
	}
	return true
}

// TestHTTPSSE: the program finds, signs in to and calls servers of HTTP+SSE. It
// refreshes a token while the stream stays open, and starts a new session after a
// stream has ended.
func TestHTTPSSE(t *testing.T) {
	t.Parallel()
	for example, path := range map[string]string{"simpleSseServer": "/mcp", "sseAndStreamableHttpCompatibleServer": "/sse"} {
		for _, way := range []string{"auto", "sse"} {
			t.Run(example+"/"+way, func(t *testing.T) {
				t.Parallel()
				s := startLegacyServer(t, example, path)
				if path != "/mcp" && way == "auto" {
					t.Skip("in this example, a POST has another route")
				}
				h := newHome(t)
				h.want(0, "login", "box", s.url)
				recordTokens(h.token("box"))
				before := s.as.Count(oauthtest.Token)
				got := h.proxyCalls(sessionSDK, program+" proxy box --transport "+way, `[
					{"tool": "start-notification-stream", "args": {"interval": 20, "count": 5}},
					{"tool": "start-notification-stream", "args": {"interval": 20, "count": 6}},
					{"tool": "start-notification-stream", "args": {"interval": 20, "count": 7}}
				]`)
				for i, result := range got {
					if result.Error != "" || !strings.Contains(result.Text, "notifications every 20ms") || result.Messages < 4 {
						t.Errorf("call %d: %+v", i, result)
					}
				}
				if len(got) != 3 || s.as.Count(oauthtest.Token) != before+1 || s.streams.Load() != 2 {
					t.Errorf("%d calls, %d refreshes, %d streams", len(got), s.as.Count(oauthtest.Token)-before, s.streams.Load())
				}
				checkContains(t, h.want(0, "test", "box", "--transport", way), "over HTTP+SSE")
			})
		}
	}
}

// checkContains fails unless standard output contains a text.
func checkContains(t *testing.T, r result, want string) {
	t.Helper()
	if !strings.Contains(r.stdout, want) {
		t.Errorf("%q is missing:\n%s%s", want, r.stdout, r.stderr)
	}
}

// TestHTTPSSEIsReported: discover and doctor report the transport of such a server.
func TestHTTPSSEIsReported(t *testing.T) {
	t.Parallel()
	s := startLegacyServer(t, "simpleSseServer", "/mcp")
	h := newHome(t)
	checkContains(t, h.want(0, "discover", s.url), "transport HTTP+SSE of 2024-11-05")
	checkContains(t, h.run("doctor", s.url), "transport: HTTP+SSE of 2024-11-05")
}

// TestStreamIsResumed: a server that closes the stream of a call early keeps the
// remaining events. The proxy and the test command resume the stream.
func TestStreamIsResumed(t *testing.T) {
	t.Parallel()
	port := freePorts(t)
	output := startExample(t, "ssePollingExample", []string{fmt.Sprintf("E2E_PORT=%d", port)})
	output.await(t, regexp.MustCompile(`running on`))
	as := &oauthtest.Server{Device: oauthtest.Device{Interval: time.Second, AutoApprove: 1}}
	s := &legacyServer{as: as}
	target := &url.URL{Scheme: "http", Host: fmt.Sprintf("127.0.0.1:%d", port)}
	backend := duplex(&httputil.ReverseProxy{FlushInterval: -1, Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		r.Out.Host = target.Host
	}})
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/mcp" {
			as.ServeHTTP(w, r)
		} else if s.authorize(w, r) {
			if r.Header.Get("Last-Event-ID") != "" {
				s.streams.Add(1)
			}
			backend.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(func() {
		web.CloseClientConnections()
		web.Close()
	})
	s.url = web.URL + "/mcp"
	h := newHome(t)
	h.want(0, "login", "box", s.url)
	recordTokens(h.token("box"))
	got := h.proxyCalls(sessionSDK, program+" proxy box", `[{"tool": "long-task"}]`)
	if len(got) != 1 || got[0].Text != "Long task completed successfully!" || got[0].Messages < 3 || s.streams.Load() == 0 {
		t.Errorf("the client got %+v, after %d resumed streams", got, s.streams.Load())
	}
	before := s.streams.Load()
	checkContains(t, h.want(0, "test", "box", "--call", "long-task"), "Long task completed successfully!")
	if s.streams.Load() == before {
		t.Error("the test command resumed no stream")
	}
}
