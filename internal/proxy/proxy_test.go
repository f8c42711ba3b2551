package proxy_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/mcp-login/mcp-login/internal/await"
	"github.com/mcp-login/mcp-login/internal/proxy"
)

// tools is a real MCP server.
type tools struct {
	*mcp.Server
	ended chan struct{} // closed when a call of hang was canceled
}

func newTools() *tools {
	ts := &tools{mcp.NewServer(&mcp.Implementation{Name: "tools", Version: "1"}, nil), make(chan struct{}, 9)}
	mcp.AddTool(ts.Server, &mcp.Tool{Name: "add"}, func(_ context.Context, _ *mcp.CallToolRequest, in struct{ A, B int }) (*mcp.CallToolResult, any, error) {
		return textResult(fmt.Sprint(in.A + in.B)), nil, nil
	})
	mcp.AddTool(ts.Server, &mcp.Tool{Name: "text"}, func(_ context.Context, _ *mcp.CallToolRequest, in struct{ N int }) (*mcp.CallToolResult, any, error) {
		return textResult(strings.Repeat("x", in.N)), nil, nil
	})
	mcp.AddTool(ts.Server, &mcp.Tool{Name: "ticks"}, func(ctx context.Context, r *mcp.CallToolRequest, in struct{ N int }) (*mcp.CallToolResult, any, error) {
		for i := range in.N {
			err := r.Session.NotifyProgress(ctx, &mcp.ProgressNotificationParams{ProgressToken: r.Params.GetProgressToken(), Progress: float64(i + 1)})
			if err != nil {
				return nil, nil, err
			}
			time.Sleep(20 * time.Millisecond)
		}
		return textResult("done"), nil, nil
	})
	mcp.AddTool(ts.Server, &mcp.Tool{Name: "hang"}, func(ctx context.Context, r *mcp.CallToolRequest, _ struct{}) (*mcp.CallToolResult, any, error) {
		// The first message opens the stream, whose end is a cancellation.
		err := r.Session.NotifyProgress(ctx, &mcp.ProgressNotificationParams{ProgressToken: r.Params.GetProgressToken(), Progress: 1})
		if err != nil {
			return nil, nil, err
		}
		<-ctx.Done()
		ts.ended <- struct{}{}
		return nil, nil, ctx.Err()
	})
	ts.AddTool(&mcp.Tool{Name: "region", InputSchema: json.RawMessage(`{"type":"object","properties":{"where":{"type":"object","properties":{"code":{"type":"string","x-mcp-header":"Region"}}},"n":{"type":"integer","x-mcp-header":"Count"}}}`)},
		func(_ context.Context, r *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			return textResult(r.Extra.Header.Get("Mcp-Param-Region") + " " + r.Extra.Header.Get("Mcp-Param-Count")), nil
		})
	return ts
}

func textResult(text string) *mcp.CallToolResult {
	return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: text}}}
}

// handler serves the tools in one of the two protocols.
func (ts *tools) handler(stateless bool) http.Handler {
	return mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return ts.Server },
		&mcp.StreamableHTTPOptions{Stateless: stateless, PropagateRequestCancellation: true})
}

// client is an MCP client that counts notifications.
type client struct {
	*mcp.ClientSession
	progress, changed chan struct{}
}

func connect(t *testing.T, transport mcp.Transport, version string) *client {
	t.Helper()
	c := &client{progress: make(chan struct{}, 99), changed: make(chan struct{}, 99)}
	var err error
	c.ClientSession, err = mcp.NewClient(&mcp.Implementation{Name: "client"}, &mcp.ClientOptions{
		ProgressNotificationHandler: func(context.Context, *mcp.ProgressNotificationClientRequest) { c.progress <- struct{}{} },
		ToolListChangedHandler:      func(context.Context, *mcp.ToolListChangedRequest) { c.changed <- struct{}{} },
		ElicitationHandler: func(context.Context, *mcp.ElicitRequest) (*mcp.ElicitResult, error) {
			return &mcp.ElicitResult{Action: "accept", Content: map[string]any{"name": "Ada"}}, nil
		},
	}).Connect(t.Context(), transport, &mcp.ClientSessionOptions{ProtocolVersion: version})
	if err != nil {
		t.Fatal(err)
	}
	if got := c.InitializeResult().ProtocolVersion; got != version {
		t.Fatalf("protocol %s, want %s", got, version)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// call calls a tool and returns its text.
func (c *client) call(t *testing.T, tool string, args map[string]any) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), await.Limit)
	defer cancel()
	p := &mcp.CallToolParams{Name: tool, Arguments: args}
	p.SetProgressToken("p-" + tool)
	result, err := c.CallTool(ctx, p)
	if err != nil {
		t.Fatalf("%s: %v", tool, err)
	}
	return result.Content[0].(*mcp.TextContent).Text
}

// isNotified changes the tools and reports whether the client is notified shortly
// after. The client is notified only while its notification stream is open.
func (c *client) isNotified(ts *tools) bool {
	ts.AddTool(&mcp.Tool{Name: "new", InputSchema: json.RawMessage(`{"type":"object"}`)}, nil)
	select {
	case <-c.changed:
		return true
	case <-time.After(100 * time.Millisecond):
		return false
	}
}

// stdio returns the client's side of a bridge, which must end with the test,
// without an error.
func stdio(t *testing.T, p proxy.Stdio) mcp.Transport {
	t.Helper()
	fromClient, toProxy := io.Pipe()
	fromProxy, toClient := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		ended <- p.Run(context.Background(), fromClient, toClient)
		toClient.Close()
	}()
	t.Cleanup(func() {
		toProxy.Close()
		go io.Copy(io.Discard, fromProxy) // like a client, close the input and read until the program exits
		if err := await.Receive(t, "the end of Run", ended); err != nil {
			t.Errorf("Run = %v", err)
		}
	})
	return &mcp.IOTransport{Reader: io.NopCloser(fromProxy), Writer: toProxy}
}

// url returns the URL of an HTTP proxy, including the token.
func url(t *testing.T, up proxy.Upstream) string {
	t.Helper()
	h, err := proxy.HTTP{Upstream: up, Token: "local"}.Handler()
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(h)
	t.Cleanup(func() {
		web.CloseClientConnections()
		web.Close()
	})
	return web.URL + "/local/mcp"
}

// The protocols and the modes of the proxy.
var protocols = []struct {
	version   string
	stateless bool
}{{"2025-11-25", false}, {"2026-07-28", true}}

var modes = map[string]func(*testing.T, proxy.Upstream) mcp.Transport{
	"stdio": func(t *testing.T, up proxy.Upstream) mcp.Transport { return stdio(t, proxy.Stdio{Upstream: up}) },
	"http": func(t *testing.T, up proxy.Upstream) mcp.Transport {
		return &mcp.StreamableClientTransport{Endpoint: url(t, up), MaxRetries: -1}
	},
}

func TestForwarding(t *testing.T) {
	for _, wire := range protocols {
		for mode, transport := range modes {
			t.Run(mode+" "+wire.version, func(t *testing.T) {
				t.Parallel()
				ts := newTools()
				s := newSite(t, ts.handler(wire.stateless))
				c := connect(t, transport(t, s.upstream(t)), wire.version)
				testForwarding(t, c, ts, s, wire.stateless)
			})
		}
	}
}

// testForwarding tests what a client may expect.
func testForwarding(t *testing.T, c *client, ts *tools, s *site, stateless bool) {
	list, err := c.ListTools(t.Context(), nil)
	if err != nil || len(list.Tools) != 5 {
		t.Fatalf("ListTools = %v, %v", list, err)
	}
	if got := c.call(t, "add", map[string]any{"A": 2, "B": 3}); got != "5" {
		t.Errorf("add = %q", got)
	}
	if got := c.call(t, "ticks", map[string]any{"N": 3}); got != "done" {
		t.Errorf("ticks = %q", got)
	}
	for range 3 {
		await.Receive(t, "a progress notification for each tick", c.progress)
	}
	if got := c.call(t, "text", map[string]any{"N": 1_000_000}); len(got) != 1_000_000 {
		t.Errorf("text has %d bytes", len(got))
	}
	if got := c.call(t, "region", map[string]any{"where": map[string]any{"code": "Żory"}, "n": 7}); stateless && got != "=?base64?xbtvcnk=?= 7" {
		t.Errorf("parameters repeated in headers = %q", got)
	}

	s.expire()
	if got := c.call(t, "add", map[string]any{"A": 1, "B": 1}); got != "2" || s.refreshes != 1 {
		t.Errorf("with an expired token: %q, %d refreshes", got, s.refreshes)
	}

	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-c.progress // it has started
		cancel()
	}()
	p := &mcp.CallToolParams{Name: "hang"}
	p.SetProgressToken("h")
	if _, err := c.CallTool(ctx, p); err == nil {
		t.Error("the call of hang ended by itself")
	}
	await.Receive(t, "cancellation at the server", ts.ended)
	if got := c.call(t, "add", map[string]any{"A": 4, "B": 4}); got != "8" {
		t.Errorf("after a cancellation: %q", got)
	}
}

// TestServerInitiatedMessages: notifications and requests of the server.
func TestServerInitiatedMessages(t *testing.T) {
	for mode, transport := range modes {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			ts := newTools()
			mcp.AddTool(ts.Server, &mcp.Tool{Name: "ask"}, func(ctx context.Context, r *mcp.CallToolRequest, _ struct{}) (*mcp.CallToolResult, any, error) {
				got, err := r.Session.Elicit(ctx, &mcp.ElicitParams{Message: "who?", RequestedSchema: json.RawMessage(`{"type":"object","properties":{"name":{"type":"string"}}}`)})
				if err != nil {
					return nil, nil, err
				}
				return textResult(fmt.Sprint(got.Content["name"])), nil, nil
			})
			s := newSite(t, ts.handler(false))
			c := connect(t, transport(t, s.upstream(t)), "2025-11-25")
			if got := c.call(t, "ask", nil); got != "Ada" {
				t.Errorf("ask = %q", got)
			}
			await.True(t, "notification on the server's own stream", func() bool { return c.isNotified(ts) })
			_ = c.Close()
			await.True(t, "the session is closed at the server", func() bool { return len(s.requests(http.MethodDelete)) > 0 })
		})
	}
}

// TestSubscriptions: the replacement of the server's own stream in version
// 2026-07-28.
func TestSubscriptions(t *testing.T) {
	for mode, transport := range modes {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			ts := newTools()
			s := newSite(t, ts.handler(true))
			c := connect(t, transport(t, s.upstream(t)), "2026-07-28")
			if _, err := c.ListTools(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
			await.True(t, "notification on a subscription", func() bool { return c.isNotified(ts) })
		})
	}
}

// TestLostSession: a server that was restarted has lost its sessions.
func TestLostSession(t *testing.T) {
	const noID = `{"jsonrpc":"2.0","error":{"code":-32000,"message":"Bad Request: No valid session ID provided"},"id":null}`
	for _, tt := range []struct {
		name       string
		status     int
		kind, body string
	}{
		{"404", 404, "text/plain", "session not found"},
		{"400", 400, "application/json", noID},
		{"200 and an error", 200, "application/json", noID},
		{"200 and a truncated error", 200, "application/json", `{"error":{"message":"No valid session"}}`},
		{"an error in a stream", 200, "text/event-stream", "event: message\ndata: " + noID + "\n\n"},
		{"an error in a stream with ids", 200, "text/event-stream", "id: 1\ndata: " + noID + "\n\n"},
		{"not initialized", 400, "application/json", `{"jsonrpc":"2.0","error":{"code":-32000,"message":"Bad Request: Server not initialized"}}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ts := newTools()
			s := newSite(t, ts.handler(false))
			c := connect(t, stdio(t, proxy.Stdio{Upstream: s.upstream(t)}), "2025-11-25")
			c.call(t, "add", map[string]any{"A": 1, "B": 1})
			s.mu.Lock()
			s.mcp = replace404(ts.handler(false), tt.status, tt.kind, tt.body)
			s.mu.Unlock()
			var wg sync.WaitGroup
			for range 5 {
				wg.Go(func() {
					if got := c.call(t, "add", map[string]any{"A": 20, "B": 3}); got != "23" {
						t.Errorf("add = %q", got)
					}
				})
			}
			wg.Wait()
		})
	}
}

// TestLostSessionOnTheServersStream: a session error on the server's own
// stream is not forwarded to the client, which would close its connection.
func TestLostSessionOnTheServersStream(t *testing.T) {
	for _, message := range []string{"Session not found", "Parse error"} {
		t.Run(message, func(t *testing.T) {
			h, errorSent := newTools().handler(false), make(chan struct{}, 99)
			s := newSite(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method != http.MethodGet {
					h.ServeHTTP(w, r)
					return
				}
				w.Header().Set("Content-Type", "text/event-stream")
				fmt.Fprintf(w, "data: {\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32000,\"message\":%q},\"id\":null}\n\n", message)
				w.(http.Flusher).Flush()
				errorSent <- struct{}{}
				<-r.Context().Done()
			}))
			c := connect(t, stdio(t, proxy.Stdio{Upstream: s.upstream(t)}), "2025-11-25")
			await.Receive(t, "the server's own stream", errorSent)
			for range 20 {
				if got := c.call(t, "add", map[string]any{"A": 1, "B": 1}); got != "2" {
					t.Errorf("add = %q", got)
				}
			}
		})
	}
}

// replace404 replaces the responses of h for an unknown session.
func replace404(h http.Handler, status int, kind, body string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.ServeHTTP(&replacing404{ResponseWriter: w, status: status, kind: kind, body: body}, r)
	})
}

// replacing404 is a ResponseWriter that replaces a 404.
type replacing404 struct {
	http.ResponseWriter
	status     int
	kind, body string
	done       bool
}

func (w *replacing404) WriteHeader(status int) {
	if status != http.StatusNotFound {
		w.ResponseWriter.WriteHeader(status)
		return
	}
	w.done = true
	w.Header().Set("Content-Type", w.kind)
	w.ResponseWriter.WriteHeader(w.status)
	io.WriteString(w.ResponseWriter, w.body)
}

func (w *replacing404) Write(p []byte) (int, error) {
	if w.done {
		return len(p), nil
	}
	return w.ResponseWriter.Write(p)
}

// Unwrap gives http.ResponseController access to Flush.
func (w *replacing404) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// TestLoginRequired: the client gets an error, and need not be restarted after the
// sign-in.
func TestLoginRequired(t *testing.T) {
	for mode, transport := range modes {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, newTools().handler(true))
			c := connect(t, transport(t, s.upstream(t)), "2026-07-28")
			s.mu.Lock()
			s.refreshRejected = true
			s.mu.Unlock()
			s.expire()
			_, err := c.CallTool(t.Context(), &mcp.CallToolParams{Name: "add"})
			if err == nil || !strings.Contains(err.Error(), "explained: ") || !strings.Contains(err.Error(), "login required") {
				t.Fatalf("CallTool = %v", err)
			}
			s.login(t)
			if got := c.call(t, "add", map[string]any{"A": 2, "B": 2}); got != "4" {
				t.Errorf("after the login: %q", got)
			}
		})
	}
}
