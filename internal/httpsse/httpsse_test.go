package httpsse

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/mcp-login/mcp-login/internal/mcpwire"
)

// oldServer is a server that supports only the HTTP+SSE transport of 2024-11-05.
// Its tools are echo, and slow, which reports progress first.
func oldServer(t *testing.T, wrap func(http.Handler) http.Handler) *httptest.Server {
	t.Helper()
	server := mcp.NewServer(&mcp.Implementation{Name: "old", Version: "1"}, nil)
	type input struct {
		Text string `json:"text"`
	}
	mcp.AddTool(server, &mcp.Tool{Name: "echo"}, func(ctx context.Context, req *mcp.CallToolRequest, in input) (*mcp.CallToolResult, any, error) {
		if token := req.Params.GetProgressToken(); token != nil {
			_ = req.Session.NotifyProgress(ctx, &mcp.ProgressNotificationParams{ProgressToken: token, Message: "half"})
		}
		return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: in.Text}}}, nil, nil
	})
	var h http.Handler = mcp.NewSSEHandler(func(*http.Request) *mcp.Server { return server }, nil)
	sse := h
	h = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost && r.URL.RawQuery == "" {
			http.Error(w, "no", http.StatusMethodNotAllowed)
			return
		}
		sse.ServeHTTP(w, r)
	})
	if wrap != nil {
		h = wrap(h)
	}
	srv := httptest.NewServer(h)
	t.Cleanup(func() {
		srv.CloseClientConnections()
		srv.Close()
	})
	return srv
}

// running returns the sessions.
func (t *Transport) running() []*session {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.sessions)
}

// connect connects a client that uses Streamable HTTP.
func connect(t *testing.T, transport http.RoundTripper, url string, opts *mcp.ClientOptions) (*mcp.ClientSession, error) {
	t.Helper()
	client := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, opts)
	return client.Connect(t.Context(), &mcp.StreamableClientTransport{Endpoint: url, HTTPClient: &http.Client{Transport: transport}}, nil)
}

// TestOldServer: a client of Streamable HTTP lists and calls tools, and receives
// their progress, whether the transport was configured or detected.
func TestOldServer(t *testing.T) {
	for _, mode := range []Mode{"", Auto, SSE} {
		t.Run(string(mode), func(t *testing.T) {
			srv := oldServer(t, nil)
			transport := &Transport{Base: http.DefaultTransport, Server: srv.URL, Mode: mode}
			progress := make(chan string, 1)
			cs, err := connect(t, transport, srv.URL, &mcp.ClientOptions{ProgressNotificationHandler: func(_ context.Context, r *mcp.ProgressNotificationClientRequest) {
				progress <- r.Params.Message
			}})
			if err != nil {
				t.Fatal(err)
			}
			defer cs.Close()
			tools, err := cs.ListTools(t.Context(), nil)
			if err != nil || len(tools.Tools) != 1 {
				t.Fatal(tools, err)
			}
			big := strings.Repeat("x", 1<<20)
			for _, text := range []string{"a\nb", big} {
				params := &mcp.CallToolParams{Name: "echo", Arguments: map[string]any{"text": text}}
				params.SetProgressToken("p")
				r, err := cs.CallTool(t.Context(), params)
				if err != nil || r.Content[0].(*mcp.TextContent).Text != text {
					t.Fatalf("%v", err)
				}
				if got := <-progress; got != "half" {
					t.Errorf("progress %q", got)
				}
			}
			if mode != SSE && transport.Speaks() != SSE {
				t.Errorf("found %q", transport.Speaks())
			}
			if n := len(transport.running()); n != 1 {
				t.Errorf("%d sessions", n)
			}
		})
	}
}

// TestNewServer: for a server of Streamable HTTP nothing changes, and no additional
// request is sent.
func TestNewServer(t *testing.T) {
	server := mcp.NewServer(&mcp.Implementation{Name: "new", Version: "1"}, nil)
	h := mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return server }, nil)
	var requests atomic.Int32
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		h.ServeHTTP(w, r)
	}))
	defer srv.Close()
	count := func(base http.RoundTripper) int32 {
		requests.Store(0)
		cs, err := connect(t, base, srv.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer cs.Close()
		if _, err := cs.ListTools(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		return requests.Load()
	}
	plain, wrapped := count(http.DefaultTransport), count(&Transport{Base: http.DefaultTransport, Server: srv.URL})
	if wrapped > plain {
		t.Errorf("%d requests, without it %d", wrapped, plain)
	}
}

// post sends one message like a client.
func post(t *testing.T, rt http.RoundTripper, url, session, body string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if session != "" {
		req.Header.Set(mcpwire.HeaderSession, session)
	}
	resp, err := rt.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return resp, err.Error()
	}
	return resp, string(text)
}

const hello = `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2024-11-05","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}`

// TestSessionEnds: when the server's stream ends, a request in flight fails, and
// the session is unknown until the client begins another.
func TestSessionEnds(t *testing.T) {
	streams := make(chan func(), 10)
	srv := oldServer(t, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodGet {
				ctx, cancel := context.WithCancel(r.Context())
				streams <- cancel
				r = r.WithContext(ctx)
			}
			next.ServeHTTP(w, r)
		})
	})
	rt := &Transport{Base: http.DefaultTransport, Server: srv.URL}
	resp, text := post(t, rt, srv.URL, "", hello)
	session := resp.Header.Get(mcpwire.HeaderSession)
	if session == "" || !strings.Contains(text, `"protocolVersion"`) {
		t.Fatal(resp.Status, text)
	}
	if resp, _ := post(t, rt, srv.URL, session, `{"jsonrpc":"2.0","method":"notifications/initialized"}`); resp.StatusCode != http.StatusAccepted {
		t.Error(resp.Status)
	}
	(<-streams)()
	for rt.session(session) != nil {
		time.Sleep(time.Millisecond)
	}
	if resp, _ := post(t, rt, srv.URL, session, `{"jsonrpc":"2.0","id":2,"method":"tools/list"}`); resp.StatusCode != http.StatusNotFound {
		t.Error(resp.Status)
	}
	if resp, _ := post(t, rt, srv.URL, "", hello); resp.Header.Get(mcpwire.HeaderSession) == session || resp.StatusCode != http.StatusOK {
		t.Error(resp.Status)
	}
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodDelete, srv.URL, nil)
	req.Header.Set(mcpwire.HeaderSession, rt.running()[0].id)
	if resp, err := rt.RoundTrip(req); err != nil || resp.StatusCode != http.StatusOK || len(rt.running()) != 0 {
		t.Error(err)
	}
}

// TestUnauthorized: a 401 of the server reaches the caller, who refreshes the
// token: both for the stream and for a message while the stream is open.
func TestUnauthorized(t *testing.T) {
	var token atomic.Value
	token.Store("Bearer one")
	srv := oldServer(t, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") != token.Load() {
				w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			next.ServeHTTP(w, r)
		})
	})
	var current atomic.Value
	current.Store("Bearer zero")
	signed := roundTripper(func(r *http.Request) (*http.Response, error) {
		r = r.Clone(r.Context())
		r.Header.Set("Authorization", current.Load().(string))
		return (&http.Transport{}).RoundTrip(r)
	})
	for _, mode := range []Mode{Auto, SSE} {
		rt := &Transport{Base: signed, Server: srv.URL, Mode: mode}
		token.Store("Bearer one")
		current.Store("Bearer zero")
		if resp, _ := post(t, rt, srv.URL, "", hello); resp.StatusCode != http.StatusUnauthorized || resp.Header.Get("WWW-Authenticate") == "" {
			t.Fatal(resp.Status)
		}
		current.Store("Bearer one")
		resp, _ := post(t, rt, srv.URL, "", hello)
		session := resp.Header.Get(mcpwire.HeaderSession)
		token.Store("Bearer two")
		if resp, _ := post(t, rt, srv.URL, session, `{"jsonrpc":"2.0","id":2,"method":"ping"}`); resp.StatusCode != http.StatusUnauthorized {
			t.Error(resp.Status)
		}
		current.Store("Bearer two")
		if resp, text := post(t, rt, srv.URL, session, `{"jsonrpc":"2.0","id":3,"method":"ping"}`); resp.StatusCode != http.StatusOK || !strings.Contains(text, `"id":3`) {
			t.Error(resp.Status, text)
		}
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// hostile sends this text as the stream, and counts the messages that are posted.
func hostile(t *testing.T, text string) (*httptest.Server, *atomic.Int32) {
	t.Helper()
	var posts atomic.Int32
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			if r.URL.Path != "/mcp" {
				posts.Add(1)
			}
			w.WriteHeader(http.StatusNotFound)
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, text)
		if r.URL.Path != "/closes" {
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		}
	}))
	t.Cleanup(func() {
		srv.CloseClientConnections()
		srv.Close()
	})
	return srv, &posts
}

// TestHostileEndpoint: messages are sent only to the server's own origin.
func TestHostileEndpoint(t *testing.T) {
	for _, text := range []string{
		"event: endpoint\ndata: https://evil.example/x\n\n", "event: endpoint\ndata: //evil.example/x\n\n",
		"event: endpoint\ndata: http://127.0.0.1:1/x\n\n", "event: endpoint\ndata: http://user@127.0.0.1/x\n\n",
		"event: endpoint\ndata: javascript:x\n\n", "event: endpoint\ndata: http://%zz\n\n", "event: message\ndata: /x\n\n",
	} {
		srv, posts := hostile(t, text)
		url := srv.URL + "/mcp"
		rt := &Transport{Base: http.DefaultTransport, Server: url, Mode: SSE}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(hello))
		if err != nil {
			t.Fatal(err)
		}
		if resp, err := rt.RoundTrip(req); !errors.Is(err, ErrEndpoint) {
			t.Errorf("%q: %v, %v", text, resp, err)
		}
		auto := &Transport{Base: http.DefaultTransport, Server: url}
		if resp, _ := post(t, auto, url, "", hello); resp.StatusCode != http.StatusNotFound || auto.Speaks() != Auto {
			t.Errorf("%q: %s", text, resp.Status)
		}
		if posts.Load() != 0 || len(rt.running())+len(auto.running()) != 0 {
			t.Errorf("%q: posted", text)
		}
	}
}

// TestUnreadMessagesAreBounded: messages that no client receives use limited memory.
func TestUnreadMessagesAreBounded(t *testing.T) {
	s := &session{t: &Transport{}, cancel: func() {}, body: io.NopCloser(nil), pending: map[string]*stream{}}
	s.serverMessages = s.newStream()
	m := message{Method: "notifications/message", text: bytes.Repeat([]byte("x"), 100<<10)}
	for range 100 {
		s.route(m)
	}
	if s.serverMessages.size > 2*maxUnread || s.buffered != s.serverMessages.size {
		t.Errorf("%d bytes are buffered, %d counted", s.serverMessages.size, s.buffered)
	}
}

// TestIDWithAnotherEncoding: a response is matched with its request even if the server
// formats the ID differently, and with no other request.
func TestIDWithAnotherEncoding(t *testing.T) {
	for request, response := range map[string]string{`7`: `7.0`, `"a"`: `"\u0061"`} {
		tr := &Transport{}
		s := &session{t: tr, cancel: func() {}, body: io.NopCloser(nil), event: tr.newEvent(t.Context()), pending: map[string]*stream{}}
		s.serverMessages = s.newStream()
		other, matching := s.registerRequests([]string{`"7"`}), s.registerRequests([]string{request})
		text := []byte(`{"jsonrpc":"2.0","id":` + response + `,"result":{}}`)
		s.route(message{ID: []byte(response), text: text})
		if !matching.closed || matching.size == 0 || other.closed || len(s.pending) != 1 {
			t.Errorf("%s for %s: closed %t, %d bytes; the other closed %t", response, request, matching.closed, matching.size, other.closed)
		}
	}
}

// TestManySessions: the oldest session is closed.
func TestManySessions(t *testing.T) {
	srv := oldServer(t, nil)
	rt := &Transport{Base: http.DefaultTransport, Server: srv.URL, Mode: SSE}
	for range maxSessions + 3 {
		if resp, _ := post(t, rt, srv.URL, "", hello); resp.StatusCode != http.StatusOK {
			t.Fatal(resp.Status)
		}
	}
	if n := len(rt.running()); n != maxSessions {
		t.Errorf("%d sessions", n)
	}
	for _, s := range rt.running() {
		s.close()
	}
}
