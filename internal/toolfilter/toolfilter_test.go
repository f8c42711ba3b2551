package toolfilter_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/mcp-login/mcp-login/internal/toolfilter"
)

// server is a server with tools, of which read_* are read-only. It counts the calls
// that it receives.
type server struct {
	*httptest.Server
	mcp   *mcp.Server
	calls atomic.Int32
}

func (s *server) add(name string, hints *mcp.ToolAnnotations) {
	mcp.AddTool(s.mcp, &mcp.Tool{Name: name, Annotations: hints}, func(context.Context, *mcp.CallToolRequest, struct{}) (*mcp.CallToolResult, any, error) {
		s.calls.Add(1)
		return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: name}}}, nil, nil
	})
}

func newServer(t *testing.T, opts *mcp.StreamableHTTPOptions) *server {
	t.Helper()
	s := &server{mcp: mcp.NewServer(&mcp.Implementation{Name: "s", Version: "1"}, &mcp.ServerOptions{PageSize: 2})}
	for _, name := range []string{"read_a", "read_b", "write_a", "delete_a", "delete_b"} {
		var hints *mcp.ToolAnnotations
		if strings.HasPrefix(name, "read") {
			hints = &mcp.ToolAnnotations{ReadOnlyHint: true}
		}
		s.add(name, hints)
	}
	s.Server = httptest.NewServer(mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return s.mcp }, opts))
	t.Cleanup(s.Close)
	return s
}

// filtered connects a client through a filter.
func filtered(t *testing.T, s *server, rules toolfilter.Rules, opts *mcp.ClientSessionOptions) (*mcp.ClientSession, *bytes.Buffer) {
	t.Helper()
	log := new(bytes.Buffer)
	f, err := toolfilter.New(rules, slog.New(slog.NewTextHandler(log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	cs, err := mcp.NewClient(&mcp.Implementation{Name: "c", Version: "1"}, nil).Connect(t.Context(), &mcp.StreamableClientTransport{
		Endpoint: s.URL, HTTPClient: &http.Client{Transport: f.Around(http.DefaultTransport)}, DisableStandaloneSSE: true,
	}, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cs.Close() })
	return cs, log
}

func names(t *testing.T, cs *mcp.ClientSession) (all []string) {
	t.Helper()
	for tool, err := range cs.Tools(t.Context(), nil) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, tool.Name)
	}
	return all
}

// TestRules: a list has only the allowed tools, page by page, and no other tool can
// be called, listed before or not, in each protocol and form of response.
func TestRules(t *testing.T) {
	all := []string{"delete_a", "delete_b", "read_a", "read_b", "write_a"}
	for _, tt := range []struct {
		name  string
		rules toolfilter.Rules
		want  []string
	}{
		{"allow", toolfilter.Rules{Allow: []string{"read_*", "write_?"}}, []string{"read_a", "read_b", "write_a"}},
		{"deny", toolfilter.Rules{Deny: []string{"DELETE*"}}, []string{"read_a", "read_b", "write_a"}},
		{"deny before allow", toolfilter.Rules{Allow: []string{"*_a"}, Deny: []string{"delete_a"}}, []string{"read_a", "write_a"}},
		{"read-only", toolfilter.Rules{ReadOnly: true}, []string{"read_a", "read_b"}},
		{"together", toolfilter.Rules{ReadOnly: true, Allow: []string{"*_b"}}, []string{"read_b"}},
	} {
		for wire, opts := range map[string]*mcp.StreamableHTTPOptions{"events": nil, "json": {JSONResponse: true}, "stateless": {Stateless: true}} {
			for _, version := range []string{"2025-06-18", "2025-11-25", ""} {
				t.Run(tt.name+"/"+wire+"/"+version, func(t *testing.T) {
					s := newServer(t, opts)
					for _, listFirst := range []bool{false, true} {
						cs, log := filtered(t, s, tt.rules, &mcp.ClientSessionOptions{ProtocolVersion: version})
						if listFirst {
							if got := names(t, cs); !slices.Equal(got, tt.want) {
								t.Errorf("listed %q, want %q", got, tt.want)
							}
						}
						for _, name := range append(all, "nothing") {
							s.calls.Store(0)
							_, err := cs.CallTool(t.Context(), &mcp.CallToolParams{Name: name})
							if allowed := slices.Contains(tt.want, name); allowed != (err == nil) || allowed != (s.calls.Load() == 1) {
								t.Errorf("%s: %v, %d calls", name, err, s.calls.Load())
							}
							if err != nil && !strings.Contains(err.Error(), name) {
								t.Errorf("%s: %v", name, err)
							}
						}
						if !strings.Contains(log.String(), "tool call refused") || !strings.Contains(log.String(), "tool=delete_a") {
							t.Errorf("the log: %s", log)
						}
					}
				})
			}
		}
	}
}

// TestToolsChanged: when the server announces that its tools changed, cached
// information about them no longer counts.
func TestToolsChanged(t *testing.T) {
	s := newServer(t, nil)
	log := slog.New(slog.DiscardHandler)
	f, _ := toolfilter.New(toolfilter.Rules{ReadOnly: true}, log)
	notified := make(chan bool, 10)
	client := mcp.NewClient(&mcp.Implementation{Name: "c", Version: "1"}, &mcp.ClientOptions{
		ToolListChangedHandler: func(context.Context, *mcp.ToolListChangedRequest) { notified <- true },
	})
	cs, err := client.Connect(t.Context(), &mcp.StreamableClientTransport{
		Endpoint: s.URL, HTTPClient: &http.Client{Transport: f.Around(http.DefaultTransport)},
	}, &mcp.ClientSessionOptions{ProtocolVersion: "2025-11-25"})
	if err != nil {
		t.Fatal(err)
	}
	defer cs.Close()
	call := func(name string) error {
		_, err := cs.CallTool(t.Context(), &mcp.CallToolParams{Name: name})
		return err
	}
	if err := call("read_a"); err != nil {
		t.Fatal(err)
	}
	s.add("read_a", nil) // it writes now
	<-notified
	if err := call("read_a"); err == nil {
		t.Error("called although it is no longer read-only")
	}
}

// TestNothingToFilter: without rules the filter is nil.
func TestNothingToFilter(t *testing.T) {
	f, err := toolfilter.New(toolfilter.Rules{}, nil)
	if err != nil || f != nil || f.Around(http.DefaultTransport) != http.DefaultTransport {
		t.Error(f, err)
	}
	for _, pattern := range []string{"", "delete_*,drop_*", " delete_*", "delete_*\n"} {
		if _, err := toolfilter.New(toolfilter.Rules{Deny: []string{pattern}}, nil); !errors.Is(err, toolfilter.ErrPattern) {
			t.Errorf("%q: %v", pattern, err)
		}
	}
}

// lenientServer is a server that executes everything that it receives, as leniently as
// possible.
type lenientServer struct{ got []string }

func (x *lenientServer) RoundTrip(req *http.Request) (*http.Response, error) {
	var body []byte
	if req.Body != nil {
		body, _ = io.ReadAll(req.Body)
	}
	if !bytes.Contains(body, []byte("mcp-login-tools-")) {
		x.got = append(x.got, string(body))
	}
	id := "null"
	if i := bytes.Index(body, []byte(`"id":"mcp-login-tools-`)); i >= 0 {
		id = string(body[i+5:])
		id = id[:strings.IndexByte(id[1:], '"')+2]
	}
	answer := fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"result":{"tools":[{"name":"ok","annotations":{"readOnlyHint":true}},{"name":"write"}]}}`, id)
	return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(answer)), Request: req}, nil
}

// hostile are messages that a lenient server may parse as a call of the tool write.
var hostile = []string{
	`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"write"}}`,
	`{"jsonrpc":"2.0","method":"tools/call","params":{"name":"write"}}`,
	`{"jsonrpc":"2.0","id":1,"method":"tools\/call","params":{"name":"\u0077rite"}}`,
	`{"jsonrpc":"2.0","id":1,"\u006dethod":"tools/call","params":{"name":"write"}}`,
	`{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call","params":{"name":"write"}}`,
	`{"jsonrpc":"2.0","id":1,"method":"tools/call","method":"ping","params":{"name":"write"}}`,
	`{"jsonrpc":"2.0","id":1,"method":"ping","Method":"tools/call","params":{"name":"write"}}`,
	`{"jsonrpc":"2.0","id":1,"METHOD":"tools/call","params":{"name":"write"}}`,
	`{"jsonrpc":"2.0","id":1,"method":"ping","method\u0000":"tools/call","params":{"name":"write"}}`,
	`{"jsonrpc":"2.0","id":1,"method":"ping","method\ud800":"tools/call","params":{"name":"write"}}`,
	`{"jsonrpc":"2.0","id":1,"method":"Tools/Call","params":{"name":"write"}}`,
	`{"jsonrpc":"2.0","id":1,"method":"tools//call","params":{"name":"write"}}`,
	`{"jsonrpc":"2.0","id":1,"method":"tools/call\u0000","params":{"name":"write"}}`,
	`{"jsonrpc":"2.0","id":1,"method":" tools/call","params":{"name":"write"}}`,
	`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"ok","name":"write"}}`,
	`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"write","name":"ok"}}`,
	`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"ok","Name":"write"}}`,
	`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"ok","name\u0000":"write"}}`,
	`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"ok"},"params":{"name":"write"}}`,
	`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"ok"},"Params":{"name":"write"}}`,
	`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":["write"]}`,
	`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":["write"]}}`,
	`{"jsonrpc":"2.0","id":1,"method":["tools/call"],"params":{"name":"write"}}`,
	`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"WRITE"}}`,
	`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"write "}}`,
	`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"write\u0000"}}`,
	`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"write\ud800"}}`,
	`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"unlisted"}}`,
	`[{"jsonrpc":"2.0","id":1,"method":"ping"},{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"write"}}]`,
	`[[{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"write"}}]]`,
	`{"jsonrpc":"2.0","id":1,"method":"ping"}` + "\n" + `{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"write"}}`,
	`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"write",}}`,
	`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{'name':'write'}}`,
	"\xef\xbb\xbf" + `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"write"}}`,
	"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"method\xff\":\"tools/call\",\"params\":{\"name\":\"write\"}}",
	``,
}

// TestHostile: a message that may be parsed as a call of a denied tool is not sent,
// and its sender gets an error.
func TestHostile(t *testing.T) {
	for _, rules := range []toolfilter.Rules{{Deny: []string{"write", "WRITE*", "un*"}}, {Allow: []string{"ok"}}, {ReadOnly: true}} {
		f, err := toolfilter.New(rules, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range hostile {
			x := &lenientServer{}
			req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://127.0.0.1/mcp", strings.NewReader(text))
			resp, err := f.Around(x).RoundTrip(req)
			if err != nil {
				t.Fatalf("%s: %v", text, err)
			}
			body, _ := io.ReadAll(resp.Body)
			if len(x.got) > 0 {
				t.Errorf("%+v: sent %s", rules, text)
			}
			if notification := strings.HasPrefix(text, `{"jsonrpc":"2.0","method"`); !notification && !strings.Contains(string(body), `"error"`) {
				t.Errorf("%s: %d %s", text, resp.StatusCode, body)
			}
		}
	}
}

// TestHeaders: headers must match the message and cannot announce an encoding, and
// requests of other HTTP methods are sent without a body.
func TestHeaders(t *testing.T) {
	const ping, ok = `{"jsonrpc":"2.0","id":1,"method":"ping"}`, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"ok"}}`
	f, _ := toolfilter.New(toolfilter.Rules{ReadOnly: true}, nil)
	for _, tt := range []struct {
		method, body, name, value string
		passes                    bool
	}{
		{"POST", ping, "Mcp-Method", "ping", true},
		{"POST", ping, "Mcp-Method", "tools/call", false},
		{"POST", ok, "Mcp-Name", "ok", true},
		{"POST", ok, "Mcp-Name", "=?base64?b2s=?=", true},
		{"POST", ok, "Mcp-Name", "write", false},
		{"POST", ok, "Mcp-Name", "=?base64?d3JpdGU=?=", false},
		{"POST", ping, "Content-Encoding", "gzip", false},
		{"POST", ping, "Content-Type", "application/json; charset=utf-7", true},
		{"GET", hostile[0], "Accept", "text/event-stream", true},
		{"DELETE", hostile[0], "Accept", "*/*", true},
	} {
		x := &lenientServer{}
		req := httptest.NewRequestWithContext(t.Context(), tt.method, "http://127.0.0.1/mcp", strings.NewReader(tt.body))
		req.Header.Set(tt.name, tt.value)
		resp, err := f.Around(x).RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if passed := len(x.got) == 1; passed != tt.passes || passed && tt.method != "POST" && x.got[0] != "" {
			t.Errorf("%s %s: %s: sent %q", tt.method, tt.name, tt.value, x.got)
		}
	}
}

// FuzzMessage: a message that passes is parsed by encoding/json, which ignores case
// and uses the last of duplicate members, only as a call of an allowed tool.
func FuzzMessage(f *testing.F) {
	for _, text := range hostile {
		f.Add(text)
	}
	filter, _ := toolfilter.New(toolfilter.Rules{ReadOnly: true}, nil)
	f.Fuzz(func(t *testing.T, text string) {
		x := &lenientServer{}
		req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://127.0.0.1/mcp", strings.NewReader(text))
		if _, err := filter.Around(x).RoundTrip(req); err != nil {
			t.Fatal(err)
		}
		for _, sent := range x.got {
			if calls := callsOf(sent); slices.ContainsFunc(calls, func(name string) bool { return name != "ok" }) {
				t.Errorf("calls %q: %s", calls, sent)
			}
		}
	})
}
