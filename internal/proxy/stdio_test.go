package proxy_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mcp-login/mcp-login/internal/await"
	"github.com/mcp-login/mcp-login/internal/proxy"
)

// runStdio runs a bridge on a text, like a pipe in a shell, and returns the lines of
// output. Each must be a JSON object.
func runStdio(t *testing.T, p proxy.Stdio, in string) []string {
	t.Helper()
	var out bytes.Buffer
	p.Drain = cmp.Or(p.Drain, forever)
	ctx, cancel := context.WithTimeout(t.Context(), await.Limit)
	defer cancel()
	if err := errors.Join(p.Run(ctx, strings.NewReader(in), &out), ctx.Err()); err != nil {
		t.Errorf("Run = %v", err)
	}
	var lines []string
	for line := range strings.Lines(out.String()) {
		var object map[string]json.RawMessage
		if err := json.Unmarshal([]byte(line), &object); err != nil || string(object["jsonrpc"]) != `"2.0"` {
			t.Errorf("not a message: %q", line)
		}
		lines = append(lines, strings.TrimSuffix(line, "\n"))
	}
	return lines
}

// wantOneLine fails unless there is one line, with all the texts in it.
func wantOneLine(t *testing.T, lines []string, texts ...string) {
	t.Helper()
	if len(lines) != 1 {
		t.Fatalf("%d lines, want one: %q", len(lines), lines)
	}
	for _, text := range texts {
		if !strings.Contains(lines[0], text) {
			t.Errorf("no %q in %s", text, lines[0])
		}
	}
}

const (
	pingRequest       = `{"jsonrpc":"2.0","id":"p","method":"ping"}`
	initializeRequest = `{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}`
	pingReply         = `{"jsonrpc":"2.0","id":"p","result":{}}`
)

// respondWith is a server that sends the same response to every POST.
func respondWith(status int, kind, body string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		w.Header().Set("Content-Type", kind)
		w.WriteHeader(status)
		io.WriteString(w, body)
	})
}

func TestPipe(t *testing.T) {
	s := newSite(t, newTools().handler(true))
	wantOneLine(t, runStdio(t, proxy.Stdio{Upstream: s.upstream(t)}, "\n  \r\n"+pingRequest), pingReply)
}

// TestResponses: the client gets exactly one message for every response of the
// server.
func TestResponses(t *testing.T) {
	for _, tt := range []struct {
		name       string
		status     int
		kind, body string
		want       string
	}{
		{"JSON", 200, "application/json; charset=utf-8", pingReply, pingReply},
		{"JSON on lines", 200, "application/json", "{\r\n \"jsonrpc\": \"2.0\",\n\"id\": \"p\", \"result\": {}}\n", `{   "jsonrpc": "2.0", "id": "p", "result": {}}`},
		{"batch", 200, "application/json", "[" + pingReply + "]", pingReply},
		{"events", 200, "text/event-stream", ": hi\nevent: message\ndata: " + pingReply + "\n\n", pingReply},
		{"event on lines", 200, "text/event-stream", "data:{\"jsonrpc\":\"2.0\",\r\ndata: \"id\":\"p\",\r\ndata: \"result\":{}}\r\n\r\n", `{"jsonrpc":"2.0", "id":"p", "result":{}}`},
		{"other events", 200, "text/event-stream", "event: endpoint\ndata: /x\n\ndata: " + pingReply + "\n\n", pingReply},
		{"empty response", 200, "text/event-stream", ": bye\n\n", `without an answer`},
		{"truncated response", 200, "text/event-stream", "data: " + pingReply, `without an answer`},
		{"accepted", 202, "", "", `202 Accepted`},
		{"HTML", 200, "text/html", "<p>log in", `200 OK and no message`},
		{"broken JSON", 200, "application/json", `{"jsonrpc":`, `not a JSON-RPC message`},
		{"text event", 200, "text/event-stream", "data: hello\n\n", `not a JSON-RPC message`},
		{"too long", 200, "application/json", `{"x":"` + strings.Repeat("x", 2000) + `"}`, `too long`},
		{"too long event", 200, "text/event-stream", "data: " + strings.Repeat("x", 2000) + "\n\n", `too long`},
		{"server error", 400, "application/json", `{"jsonrpc":"2.0","id":null,"error":{"code":-32022,"message":"no","data":{"supported":["x"]}}}`,
			`{"jsonrpc":"2.0","id":"p","error":{"code":-32022,"message":"no","data":{"supported":["x"]}}}`},
		{"error without an id", 200, "application/json", `{"jsonrpc":"2.0","id":null,"error":{"code":1,"message":"no"}}`, `{"jsonrpc":"2.0","id":"p","error":{"code":1,"message":"no"}}`},
		{"id with other escapes", 200, "application/json", `{"jsonrpc":"2.0","id":"\u0070","result":{}}`, `{"jsonrpc":"2.0","id":"\u0070","result":{}}`},
		{"not JSON-RPC", 200, "application/json", `{"error":"nope"}`, `not a JSON-RPC message`},
		{"plain error", 500, "text/plain", "secret trace", `"message":"explained: the server answers with 500 Internal Server Error"`},
		{"redirect", 307, "", "", `redirects (307 Temporary Redirect)`},
		{"scopes", 403, "", "", `403 Forbidden`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, respondWith(tt.status, tt.kind, tt.body))
			lines := runStdio(t, proxy.Stdio{Upstream: s.upstream(t), MaxMessage: 1000}, pingRequest+"\n")
			wantOneLine(t, lines, tt.want)
			if strings.Contains(strings.Join(lines, ""), "secret trace") {
				t.Error("the body of an error was forwarded")
			}
		})
	}
}

// TestLongResponse: long responses are forwarded completely.
func TestLongResponse(t *testing.T) {
	long := `{"jsonrpc":"2.0","id":"p","result":{"text":"` + strings.Repeat("x", 10_000_000) + `"}}`
	for kind, body := range map[string]string{"application/json": long, "text/event-stream": "data: " + long + "\n\n"} {
		s := newSite(t, respondWith(200, kind, body))
		if got := runStdio(t, proxy.Stdio{Upstream: s.upstream(t)}, pingRequest); len(got) != 1 || got[0] != long {
			t.Errorf("%s: %d lines", kind, len(got))
		}
	}
}

// TestMissingScope: the error names the scopes to sign in with.
func TestMissingScope(t *testing.T) {
	s := newSite(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("WWW-Authenticate", `Bearer error="insufficient_scope", scope="mcp:write"`)
		w.WriteHeader(http.StatusForbidden)
	}))
	wantOneLine(t, runStdio(t, proxy.Stdio{Upstream: s.upstream(t)}, pingRequest), `more scopes: mcp:write`)
}

// TestInvalidInput: input that is not a message gets a JSON-RPC error, and the rest is
// processed.
func TestInvalidInput(t *testing.T) {
	s := newSite(t, newTools().handler(true))
	lines := runStdio(t, proxy.Stdio{Upstream: s.upstream(t), MaxMessage: 1000},
		"hello\n"+strings.Repeat("x", 200_000)+"\n[1]\n["+pingRequest+","+strings.Replace(pingRequest, `"p"`, `17`, 1)+"]\n")
	text := strings.Join(lines, "\n")
	if len(lines) != 5 || strings.Count(text, `"id":null,"error":{"code":-32700`) != 3 ||
		!strings.Contains(text, pingReply) || !strings.Contains(text, `"id":17`) {
		t.Errorf("answers:\n%s", text)
	}
}

// TestTooLong: the error names the limit and the request, wherever its ID is. Input
// that is not a request does not get a response.
func TestTooLong(t *testing.T) {
	long := strings.Repeat(`x\"},{`, 30_000)
	for _, tt := range []struct{ name, line, id string }{
		{"id first", `{"jsonrpc":"2.0","id":7,"method":"ping","params":{"id":8,"x":"` + long + `"}}`, `7`},
		{"id last", `{"method":"ping", "params":{"x":["` + long + `",{"id":8}]},"jsonrpc":"2.0", "id" : "a\"b" }`, `"a\"b"`},
		{"method last", `{"id":-1,"params":"` + long + `","method":"ping"}`, `-1`},
		{"answer", `{"jsonrpc":"2.0","id":7,"result":{"method":"` + long + `"}}`, `null`},
		{"notification", `{"jsonrpc":"2.0","method":"x","params":{"id":7,"x":"` + long + `"}}`, `null`},
		{"batch", `[{"jsonrpc":"2.0","id":7,"method":"ping","params":"` + long + `"}]`, `null`},
		{"id of another type", `{"id":{"id":7},"method":"ping","params":"` + long + `"}`, `null`},
		{"long id", `{"id":"` + strings.Repeat("x", 200_000) + `","method":"ping"}`, `null`},
		{"broken id", `{"id":1x,"method":"ping","params":"` + long + `"}`, `null`},
		{"junk", `}}]]"` + long, `null`},
	} {
		for _, end := range []string{"", "\n"} {
			t.Run(tt.name, func(t *testing.T) {
				t.Parallel()
				s := newSite(t, newTools().handler(true))
				lines := runStdio(t, proxy.Stdio{Upstream: s.upstream(t), MaxMessage: 1000}, tt.line+end)
				wantOneLine(t, lines, `"id":`+tt.id+`,"error":`, "too long: the limit is 1000 bytes")
			})
		}
	}
}

// TestInvalidID: a request with an invalid ID gets one error, and is not forwarded.
func TestInvalidID(t *testing.T) {
	for _, id := range []string{`{"a":1}`, `[1]`, `true`} {
		s := newSite(t, respondWith(200, "application/json", `{"jsonrpc":"2.0","id":`+id+`,"result":{}}`))
		wantOneLine(t, runStdio(t, proxy.Stdio{Upstream: s.upstream(t)}, `{"jsonrpc":"2.0","id":`+id+`,"method":"ping"}`), `"id":null,"error":{"code":-32600`)
		if n := len(s.requests(http.MethodPost)); n != 0 {
			t.Errorf("id %s: %d requests", id, n)
		}
	}
}

// TestHugeID: a number beyond the range of numbers is the same ID if it has the
// same text.
func TestHugeID(t *testing.T) {
	const id = `1e999`
	reply := `{"jsonrpc":"2.0","id":` + id + `,"result":{}}`
	s := newSite(t, respondWith(200, "application/json", reply))
	wantOneLine(t, runStdio(t, proxy.Stdio{Upstream: s.upstream(t)}, `{"jsonrpc":"2.0","id":`+id+`,"method":"ping"}`), reply)
}

func TestNoNetwork(t *testing.T) {
	s := newSite(t, nil)
	up := s.upstream(t)
	s.Close()
	wantOneLine(t, runStdio(t, proxy.Stdio{Upstream: up}, `{"jsonrpc":"2.0","method":"notifications/x"}`+"\n"+pingRequest), `"id":"p"`, `"message":"explained: `, "connect")
}

// TestResume: a broken stream is resumed after its last event.
func TestResume(t *testing.T) {
	var gets atomic.Int32
	s := newSite(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodDelete:
			w.WriteHeader(http.StatusMethodNotAllowed)
		case r.Method == http.MethodGet && r.Header.Get("Last-Event-ID") == "":
			w.WriteHeader(http.StatusMethodNotAllowed)
		case r.Method == http.MethodGet && r.Header.Get("Mcp-Session-Id") == "s1" && r.Header.Get("Mcp-Protocol-Version") == "2025-11-25":
			w.Header().Set("Content-Type", "text/event-stream")
			n := gets.Add(1)
			fmt.Fprintf(w, "id: e%d\nretry: 5\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"after-%s\"}\n\n", n+1, r.Header.Get("Last-Event-ID"))
			if n == 2 {
				fmt.Fprintf(w, "data: %s\n\n", pingReply)
			}
		default:
			body, _ := io.ReadAll(r.Body)
			if bytes.Contains(body, []byte(`"initialize"`)) {
				w.Header().Set("Mcp-Session-Id", "s1")
				w.Header().Set("Content-Type", "application/json")
				io.WriteString(w, `{"jsonrpc":"2.0","id":0,"result":{"protocolVersion":"2025-11-25"}}`)
				return
			}
			w.Header().Set("Content-Type", "text/event-stream")
			io.WriteString(w, "id: e1\nretry: 5\ndata:\n\n")
		}
	}))
	r := start(t, proxy.Stdio{Upstream: s.upstream(t)})
	r.send(t, initializeRequest)
	await.True(t, "initialize has a response", func() bool { return r.output() != "" }) // the client waits for that
	r.send(t, pingRequest)
	r.closeInput(t)
	want := `{"jsonrpc":"2.0","id":0,"result":{"protocolVersion":"2025-11-25"}}
{"jsonrpc":"2.0","method":"after-e1"}
{"jsonrpc":"2.0","method":"after-e2"}
` + pingReply + "\n"
	if got := r.output(); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

// TestSubscriptionEnds: over HTTP the end of the stream ends a subscription; a
// client on a pipe is notified.
func TestSubscriptionEnds(t *testing.T) {
	s := newSite(t, respondWith(200, "text/event-stream", "data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/subscriptions/acknowledged\"}\n\n"))
	r := start(t, proxy.Stdio{Upstream: s.upstream(t)})
	r.send(t, `{"jsonrpc":"2.0","id":3,"method":"subscriptions/listen","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}`)
	await.True(t, "the client is notified of the end", func() bool { return strings.Count(r.output(), "\n") == 2 })
	r.closeInput(t)
	if got := r.output(); strings.Count(got, "\n") != 2 || !strings.Contains(got, `"method":"notifications/cancelled","params":{"requestId":3,`) {
		t.Errorf("got %s", got)
	}
	if h := s.requests(http.MethodPost)[0].Header; h.Get("Mcp-Method") != "subscriptions/listen" || h.Get("Mcp-Protocol-Version") != "2026-07-28" {
		t.Errorf("headers %v", h)
	}
}

// silentServer is a server that never responds to requests.
func silentServer() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		w.(http.Flusher).Flush()
		io.Copy(io.Discard, r.Body) // so that the end of the connection is noticed
		<-r.Context().Done()
	})
}

// TestEnd: the end of the input, or a signal, ends the run although the server does
// not respond.
func TestEnd(t *testing.T) {
	s := newSite(t, silentServer())
	var out bytes.Buffer
	if err := (proxy.Stdio{Upstream: s.upstream(t), Drain: 50 * time.Millisecond}).Run(t.Context(), strings.NewReader(pingRequest), &out); err != nil || out.Len() > 0 {
		t.Errorf("at the end of the input: %v, %q", err, &out)
	}
	ctx, cancel := context.WithCancel(t.Context())
	in, feed := io.Pipe()
	defer feed.Close()
	ended := make(chan error, 1)
	go func() { ended <- (proxy.Stdio{Upstream: s.upstream(t), Drain: forever}).Run(ctx, in, &out) }()
	io.WriteString(feed, pingRequest+"\n")
	await.True(t, "the server received the request", func() bool { return len(s.requests(http.MethodPost)) == 2 })
	cancel()
	if err := await.Receive(t, "the end after a signal", ended); err != nil || out.Len() > 0 {
		t.Errorf("at a signal: %v, %q", err, &out)
	}
}

// brokenPipe is a client that has exited.
type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }
func (brokenPipe) Read([]byte) (int, error)  { return 0, io.ErrUnexpectedEOF }

func TestClientIsGone(t *testing.T) {
	s := newSite(t, newTools().handler(true))
	p := proxy.Stdio{Upstream: s.upstream(t)}
	in, feed := io.Pipe()
	defer feed.Close()
	go io.WriteString(feed, pingRequest+"\n")
	if err := p.Run(t.Context(), in, brokenPipe{}); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("Run with an output that is closed = %v", err)
	}
	if err := p.Run(t.Context(), brokenPipe{}, io.Discard); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("Run with an input that breaks = %v", err)
	}
}

// TestOldServer: a server that rejects a new protocol version with 400 is offered
// the oldest, and the client learns which one is used.
func TestOldServer(t *testing.T) {
	for newest, want := range map[string]string{"2025-03-26": `"protocolVersion":"2025-03-26"`, "2024-11-05": "400 Bad Request"} {
		s := newSite(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			var m struct {
				ID     json.RawMessage
				Params struct{ ProtocolVersion string }
			}
			if err := json.NewDecoder(r.Body).Decode(&m); err != nil || m.Params.ProtocolVersion > newest {
				w.WriteHeader(http.StatusBadRequest)
				return
			}
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"result":{"protocolVersion":%q}}`, m.ID, m.Params.ProtocolVersion)
		}))
		wantOneLine(t, runStdio(t, proxy.Stdio{Upstream: s.upstream(t)}, initializeRequest), `"id":0`, want)
	}
}
