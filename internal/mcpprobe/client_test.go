package mcpprobe_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/internal/await"
	"github.com/mcp-login/mcp-login/internal/httpsse"
	"github.com/mcp-login/mcp-login/internal/mcpprobe"
	"github.com/mcp-login/mcp-login/oauth"
)

// sdkServer is a server of the MCP Go SDK with several pages of tools. The tool ask
// sends a request to the client, and returns its response.
func sdkServer() *mcp.Server {
	s := mcp.NewServer(&mcp.Implementation{Name: "sdk", Version: "7"}, &mcp.ServerOptions{PageSize: 2})
	for _, name := range []string{"one", "two", "three"} {
		s.AddTool(&mcp.Tool{Name: name, InputSchema: json.RawMessage(`{"type":"object"}`)}, func(context.Context, *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: name}, &mcp.ImageContent{MIMEType: "image/png", Data: []byte("x")}}}, nil
		})
	}
	s.AddTool(&mcp.Tool{Name: "region", InputSchema: json.RawMessage(`{"type":"object","properties":{"where":{"type":"string","x-mcp-header":"Region"}}}`)},
		func(_ context.Context, r *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			return textResult(r.Extra.Header.Get("Mcp-Param-Region")), nil
		})
	s.AddTool(&mcp.Tool{Name: "ask", InputSchema: json.RawMessage(`{"type":"object"}`)}, func(ctx context.Context, r *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		return textResult(fmt.Sprintf("ping %v", r.Session.Ping(ctx, nil))), nil
	})
	return s
}

func textResult(text string) *mcp.CallToolResult {
	return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: text}}}
}

// serve serves a handler and records each request as method and value of a header.
func serve(t *testing.T, handler http.Handler, header string) (url string, requests func() []string) {
	t.Helper()
	var mu sync.Mutex
	var all []string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		all = append(all, strings.TrimSpace(r.Method+" "+r.Header.Get(header)))
		mu.Unlock()
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(func() {
		srv.CloseClientConnections()
		srv.Close()
	})
	return srv.URL, func() []string {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(all)
	}
}

// TestSDKServer: all pages of tools are read and a tool is called at a server of
// the Go SDK, in both protocols, and the session is closed at the server.
func TestSDKServer(t *testing.T) {
	for _, stateless := range []bool{false, true} {
		for _, version := range []string{"", "2025-11-25", "2025-06-18", "2025-03-26"} {
			t.Run(fmt.Sprint(stateless, version), func(t *testing.T) {
				s := sdkServer()
				url, requests := serve(t, mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return s }, &mcp.StreamableHTTPOptions{Stateless: stateless}), "Mcp-Session-Id")
				r, err := mcpprobe.Run(t.Context(), mcpprobe.Config{
					Session: stored(t, url), Server: url, ProtocolVersion: version, Version: "1",
					Calls: []mcpprobe.Call{{Tool: "three"}, {Tool: "region", Args: []byte(`{"where":"Żory"}`)}},
				})
				if err != nil {
					t.Fatal(err)
				}
				if r.Name != "sdk" || r.Version != "7" || len(r.Tools) != 5 || len(r.Results) != 2 {
					t.Fatalf("Run() = %+v", r)
				}
				if got := r.Results[0].Texts(); len(got) != 2 || got[0] != "three" || !strings.Contains(got[1], `"mimeType":"image/png"`) {
					t.Errorf("the result of the tool is %q", got)
				}
				if got := r.Results[1].Texts(); r.ProtocolVersion == "2026-07-28" && !slices.Equal(got, []string{"=?base64?xbtvcnk=?="}) {
					t.Errorf("the header repeats %q", got)
				}
				if last := requests()[len(requests())-1]; stateless == strings.HasPrefix(last, "DELETE ") {
					t.Errorf("requests %q", requests())
				}
			})
		}
	}
}

// TestServerPings: a ping from the server before its response is answered.
func TestServerPings(t *testing.T) {
	s := sdkServer()
	streamable, _ := serve(t, mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return s }, nil), "")
	old, _ := serve(t, mcp.NewSSEHandler(func(*http.Request) *mcp.Server { return s }, nil), "")
	for name, cfg := range map[string]mcpprobe.Config{
		"Streamable HTTP": {Server: streamable, ProtocolVersion: "2025-11-25"},
		"HTTP+SSE":        {Server: old, HTTP: &httpsse.Transport{Base: oauth.Guard{Server: old}.Client().Transport, Server: old}},
	} {
		t.Run(name, func(t *testing.T) {
			cfg.Session, cfg.Timeout, cfg.Calls = stored(t, cfg.Server), await.Limit, []mcpprobe.Call{{Tool: "ask"}}
			r, err := mcpprobe.Run(t.Context(), cfg)
			if err != nil {
				t.Fatal(err)
			}
			if got := r.Results[0].Texts(); !slices.Equal(got, []string{"ping <nil>"}) {
				t.Errorf("the server received %q", got)
			}
		})
	}
}

// TestUnsupportedServerRequests: a request from the server for an unsupported
// feature is answered with an error.
func TestUnsupportedServerRequests(t *testing.T) {
	replies := make(chan string, 9)
	server := fake(map[string]http.HandlerFunc{
		"": func(w http.ResponseWriter, r *http.Request) { // a response
			replies <- r.Context().Value(textKey{}).(string)
			w.WriteHeader(http.StatusAccepted)
		},
		"tools/call": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			for i, method := range []string{"ping", "roots/list", "sampling/createMessage", "elicitation/create"} {
				fmt.Fprintf(w, "data: {\"jsonrpc\":\"2.0\",\"id\":\"s%d\",\"method\":%q}\n\n", i, method)
			}
			w.(http.Flusher).Flush()
			var all []string
			for range 4 {
				select {
				case reply := <-replies:
					all = append(all, reply)
				case <-r.Context().Done():
				}
			}
			text, _ := json.Marshal(strings.Join(all, "\n"))
			fmt.Fprintf(w, "data: {\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":{\"content\":[{\"type\":\"text\",\"text\":%s}]}}\n\n", r.Context().Value(idKey{}), text)
		},
	})
	url, _ := serve(t, server, "")
	r, err := mcpprobe.Run(t.Context(), mcpprobe.Config{Session: stored(t, url), Server: url, Timeout: await.Limit, Calls: []mcpprobe.Call{{Tool: "add"}}})
	if err != nil {
		t.Fatal(err)
	}
	want := `{"jsonrpc":"2.0","id":"s0","result":{}}`
	for i := 1; i < 4; i++ {
		want += fmt.Sprintf("\n"+`{"jsonrpc":"2.0","id":"s%d","error":{"code":-32601,"message":"Method not found"}}`, i)
	}
	if got := r.Results[0].Texts(); !slices.Equal(got, []string{want}) {
		t.Errorf("the server received\n%s\nwant\n%s", got, want)
	}
}

// fake is a server with sessions whose responses can be replaced, by method.
func fake(answers map[string]http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		name, id := method(httptest.NewRequest(http.MethodPost, "/", strings.NewReader(string(body))))
		w.Header().Set("Content-Type", "application/json")
		if answer := answers[name]; answer != nil {
			r = r.WithContext(context.WithValue(context.WithValue(r.Context(), idKey{}, id), textKey{}, string(body)))
			answer(w, r)
			return
		}
		switch name {
		case "initialize":
			fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"result":{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"fake","version":"1"}}}`, id)
		case "tools/list":
			fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"result":{"tools":[{"name":"add"},{"name":"echo"}]}}`, id)
		case "tools/call":
			fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"result":{"content":[{"type":"text","text":"5"}]}}`, id)
		case "server/discover":
			fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"error":{"code":-32601,"message":"Method not found"}}`, id)
		default:
			w.WriteHeader(http.StatusAccepted)
		}
	}
}

type (
	idKey   struct{} // json.RawMessage
	textKey struct{} // string
)

// answer responds with a status and a text, in which ID is replaced by the
// request's ID.
func answer(status int, text string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasPrefix(text, "<"):
			w.Header().Set("Content-Type", "text/html")
		case strings.Contains(text, "\n\n"):
			w.Header().Set("Content-Type", "text/event-stream")
		}
		w.WriteHeader(status)
		id, _ := r.Context().Value(idKey{}).(json.RawMessage)
		io.WriteString(w, strings.ReplaceAll(text, "ID", string(id)))
	}
}

// TestInvalidResponses: invalid responses are reported with the server's text, and
// only temporary faults count as temporary.
func TestInvalidResponses(t *testing.T) {
	for _, tt := range []struct {
		name, method string
		status       int
		text         string
		want         string // "": the run succeeds
		temporary    bool
	}{
		{"unavailable", "tools/list", 503, "<html>", "the server answers with HTTP 503 Service Unavailable", true},
		{"too many requests", "tools/list", 429, "", "the server answers with HTTP 429 Too Many Requests", true},
		{"not found", "tools/list", 404, "<html>", "the server answers with HTTP 404 Not Found", false},
		{"error with a status", "tools/list", 500, `{"jsonrpc":"2.0","id":ID,"error":{"code":-32603,"message":"broken\u001b[2J"}}`, "the server answers with error -32603: broken[2J", false},
		{"error", "tools/list", 200, `{"jsonrpc":"2.0","id":ID,"error":{"code":-32603,"message":"broken"}}`, "the server answers with error -32603: broken", false},
		{"error without an id", "tools/list", 200, `{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"what?"}}`, "the server answers with error -32700: what?", false},
		{"error that is null", "tools/list", 200, `{"jsonrpc":"2.0","id":ID,"result":{"tools":[]},"error":null}`, "", false},
		{"id in another form", "tools/list", 200, `{"jsonrpc":"2.0","id":ID.0,"result":{"tools":[]}}`, "", false},
		{"another id", "tools/list", 200, `{"jsonrpc":"2.0","id":99,"result":{"tools":[]}}`, "unusable answer: the answer to another request", false},
		{"not JSON", "tools/list", 200, `yes`, "unusable answer: not a JSON-RPC message", false},
		{"web page", "tools/list", 200, `<html>`, "unusable answer: HTTP 200 without a message", false},
		{"accepted", "tools/list", 202, ``, "unusable answer: not a JSON-RPC message", false},
		{"no result", "tools/list", 200, `{"jsonrpc":"2.0","id":ID}`, "unusable answer: a result that cannot be read", false},
		{"result of another type", "tools/list", 200, `{"jsonrpc":"2.0","id":ID,"result":{"tools":{"add":{}}}}`, "unusable answer: a result that cannot be read", false},
		{"stream", "tools/list", 200, "id: 1\ndata:\n\nevent: other\ndata: x\n\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\"}\n\ndata: {\"jsonrpc\":\"2.0\",\"id\":ID,\"result\":{\"tools\":[]}}\n\n", "", false},
		{"stream without a response", "tools/list", 200, ": hi\n\n", "unusable answer: a stream that ends without the answer", false},
		{"stream that is cut off", "tools/list", 200, "data: x\n\n: hi", "unusable answer: not a JSON-RPC message", false},
		{"notification rejected", "notifications/initialized", 400, "<html>", "the server answers with HTTP 400 Bad Request", false},
		{"discovery with a web page", "server/discover", 404, "<html>", "", false},
		{"discovery without a response", "server/discover", 202, "", "", false},
		{"discovery unavailable", "server/discover", 500, "", "", false},
		{"discovery with another type", "server/discover", 200, `{"jsonrpc":"2.0","id":ID,"result":{"supportedVersions":["2099-01-01"]}}`, "", false},
		{"version unknown", "initialize", 200, `{"jsonrpc":"2.0","id":ID,"result":{"protocolVersion":"2099-01-01"}}`, `no protocol version was agreed on: unusable answer: unsupported protocol version "2099-01-01"`, false},
		{"input required", "tools/call", 200, `{"jsonrpc":"2.0","id":ID,"result":{"resultType":"input_required","inputRequests":{}}}`, "the tool asks its user for input", false},
		{"call unavailable", "tools/call", 503, "", "the server answers with HTTP 503 Service Unavailable", true},
		{"wrong arguments", "tools/call", 200, `{"jsonrpc":"2.0","id":ID,"error":{"code":-32602,"message":"a is missing"}}`, "the server answers with error -32602: a is missing", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			url, _ := serve(t, fake(map[string]http.HandlerFunc{tt.method: answer(tt.status, tt.text)}), "")
			_, err := mcpprobe.Run(t.Context(), mcpprobe.Config{Session: stored(t, url), Server: url, Calls: []mcpprobe.Call{{Tool: "add"}}})
			switch {
			case tt.want == "" && err != nil, tt.want != "" && err == nil:
				t.Errorf("Run() = %v, want %q", err, tt.want)
			case err != nil && (!strings.Contains(err.Error(), ": "+tt.want) || oauth.Temporary(err) != tt.temporary):
				t.Errorf("Run() = %v, temporary %v; want %q", err, oauth.Temporary(err), tt.want)
			}
		})
	}
}

// TestStreamIsResumed: if a server sends event IDs and closes the stream, the call
// continues on the next stream. Without IDs it sends no second request.
func TestStreamIsResumed(t *testing.T) {
	ended := answer(http.StatusOK, "id: 1\nretry: 1\ndata:\n\n")
	for name, tt := range map[string]struct {
		next http.HandlerFunc
		want string // in the error; "": the tool responds
	}{
		"immediately": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			fmt.Fprintf(w, "id: %s2\ndata: {\"jsonrpc\":\"2.0\",\"id\":4,\"result\":{}}\n\n", r.Header.Get("Last-Event-ID"))
		}, ""},
		"later": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			if at := r.Header.Get("Last-Event-ID"); len(at) < 4 {
				fmt.Fprintf(w, "id: %s1\ndata:\n\n", at)
				return
			}
			io.WriteString(w, "data: {\"jsonrpc\":\"2.0\",\"id\":4,\"result\":{}}\n\n")
		}, ""},
		"refused":                  {answer(http.StatusMethodNotAllowed, ""), "HTTP 405 Method Not Allowed"},
		"no stream":                {answer(http.StatusOK, "{}"), "HTTP 200 without a stream"},
		"second stream without id": {answer(http.StatusOK, "id:\ndata:\n\n"), "a stream that ends without the answer"},
	} {
		t.Run(name, func(t *testing.T) {
			url, _ := serve(t, fake(map[string]http.HandlerFunc{"tools/call": ended, "": tt.next}), "")
			_, err := mcpprobe.Run(t.Context(), mcpprobe.Config{Session: stored(t, url), Server: url, Calls: []mcpprobe.Call{{Tool: "add"}}})
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("Run() = %v, want %q", err, tt.want)
			}
		})
	}
}

// TestVersionNegotiation: a server that rejects a version lists the ones that it
// supports.
func TestVersionNegotiation(t *testing.T) {
	rejection := func(w http.ResponseWriter, r *http.Request) {
		id := r.Context().Value(idKey{}).(json.RawMessage)
		if r.Header.Get("Mcp-Protocol-Version") == "2026-07-28" {
			fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"result":{"supportedVersions":["2026-07-28"],"_meta":{"io.modelcontextprotocol/serverInfo":{"name":"new","version":"2"}}}}`, id)
			return
		}
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"error":{"code":-32022,"message":"no","data":{"supported":["2026-07-28"]}}}`, id)
	}
	url, _ := serve(t, fake(map[string]http.HandlerFunc{"server/discover": rejection}), "")
	r, err := mcpprobe.Run(t.Context(), mcpprobe.Config{Session: stored(t, url), Server: url, ProtocolVersion: "2027-01-01"})
	if err != nil || r.ProtocolVersion != "2026-07-28" || r.Name != "new" {
		t.Errorf("Run() = %+v, %v", r, err)
	}
}

// TestUnlistedTool: a call of an unlisted tool fails with the listed tools, however
// the server rejects it. If the server has the tool anyway, the call succeeds.
func TestUnlistedTool(t *testing.T) {
	for _, text := range []string{
		`{"jsonrpc":"2.0","id":ID,"error":{"code":-32602,"message":"Tool ad not found"}}`,
		`{"jsonrpc":"2.0","id":ID,"result":{"isError":true,"content":[{"type":"text","text":"Tool ad not found"}]}}`,
	} {
		url, _ := serve(t, fake(map[string]http.HandlerFunc{"tools/call": answer(http.StatusOK, text)}), "")
		_, err := mcpprobe.Run(t.Context(), mcpprobe.Config{Session: stored(t, url), Server: url, Calls: []mcpprobe.Call{{Tool: "ad"}}})
		unknown, ok := errors.AsType[*mcpprobe.UnknownToolError](err)
		if !ok || len(unknown.Tools) != 2 || !strings.Contains(err.Error(), `the server lists no tool "ad": the server answers`) || !strings.HasSuffix(err.Error(), "Tool ad not found") {
			t.Errorf("Run() = %v", err)
		}
	}
	url, _ := serve(t, fake(nil), "")
	if r, err := mcpprobe.Run(t.Context(), mcpprobe.Config{Session: stored(t, url), Server: url, Calls: []mcpprobe.Call{{Tool: "hidden"}}}); err != nil || len(r.Results) != 1 {
		t.Errorf("Run() = %+v, %v", r, err)
	}
}

// TestUnreachableServer: errors of the network are distinguished from those of the
// session.
func TestUnreachableServer(t *testing.T) {
	url, _ := serve(t, answer(http.StatusUnauthorized, ""), "")
	_, err := mcpprobe.Run(t.Context(), mcpprobe.Config{Session: stored(t, url), Server: url})
	if !errors.Is(err, mcplogin.ErrLoginRequired) || strings.Contains(err.Error(), "Post") || oauth.Temporary(err) {
		t.Errorf("Run() = %v, want only ErrLoginRequired", err)
	}
	closed := httptest.NewServer(nil)
	closed.Close()
	_, err = mcpprobe.Run(t.Context(), mcpprobe.Config{Session: stored(t, closed.URL), Server: closed.URL, Timeout: time.Minute})
	if err == nil || !oauth.Temporary(err) {
		t.Errorf("Run() = %v, want a network error", err)
	}
}
