package proxy_test

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mcp-login/mcp-login/internal/await"
	"github.com/mcp-login/mcp-login/internal/proxy"
)

// TestEventIDs: an ID is sent back as a header if it is a valid value; otherwise
// the stream is not resumed.
func TestEventIDs(t *testing.T) {
	for _, tt := range []struct {
		name, id string
		want     []string // Last-Event-ID of each attempt
	}{
		{"plain", "a b/ć=1", []string{"a b/ć=1"}},
		{"end of a line", "1\rX-Evil: 1", []string{"1"}}, // the rest is another field
		{"zero", "1\x00", nil},
		{"long", strings.Repeat("x", 100_000), nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "text/event-stream")
				if r.Method == http.MethodGet {
					io.WriteString(w, "data: "+pingReply+"\n\n")
					return
				}
				io.WriteString(w, "id: "+tt.id+"\nretry: 1\ndata:\n\n")
			}))
			lines := runStdio(t, proxy.Stdio{Upstream: s.upstream(t)}, pingRequest)
			if len(lines) != 1 || (tt.want != nil) != (lines[0] == pingReply) {
				t.Errorf("output %q", lines)
			}
			var got []string
			for _, r := range s.requests(http.MethodGet) {
				got = append(got, r.Header.Get("Last-Event-ID"))
				if r.Header.Get("X-Evil") != "" {
					t.Error("the server has set a header of the request")
				}
			}
			if fmt.Sprint(got) != fmt.Sprint(tt.want) {
				t.Errorf("resumed after %q, want %q", got, tt.want)
			}
		})
	}
}

// TestBusyStream: the proxy reconnects at most ten times a second, even if the
// server requests more.
func TestBusyStream(t *testing.T) {
	t.Parallel()
	var events atomic.Int32
	s := newSite(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprintf(w, "id: %d\nretry: 1\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"x\"}\n\n", events.Add(1))
	}))
	r := start(t, proxy.Stdio{Upstream: s.upstream(t), Drain: time.Millisecond})
	start := time.Now()
	r.send(t, pingRequest)
	await.True(t, "the server received eleven calls", func() bool { return len(s.requests(http.MethodGet)) >= 11 })
	if took := time.Since(start); took < 11*time.Second/15 { // a slow machine only increases it
		t.Errorf("eleven calls within %s", took)
	}
	r.closeInput(t)
}

// TestLongServerEvent: the server's stream is not opened again after an event that
// is too long, because the next one would begin with the same event.
func TestLongServerEvent(t *testing.T) {
	const limit = 10_000
	for name, event := range map[string]string{
		"one line":      "data: " + strings.Repeat("x", 2*limit) + "\n\n",
		"several lines": strings.Repeat("data: "+strings.Repeat("x", limit/2)+"\n", 3) + "\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newTools().handler(false)
			s := newSite(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method != http.MethodGet {
					h.ServeHTTP(w, r)
					return
				}
				w.Header().Set("Content-Type", "text/event-stream")
				io.WriteString(w, "retry: 1\n"+event)
			}))
			up, logged := s.upstream(t), make(logLines, 99)
			up.Log = slog.New(slog.NewTextHandler(logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
			connect(t, stdio(t, proxy.Stdio{Upstream: up, MaxMessage: limit}), "2025-11-25")
			for !strings.Contains(await.Receive(t, "the end of the stream", logged), "too long") {
			}
		})
	}
}

// logLines receives the lines of a log.
type logLines chan string

func (l logLines) Write(line []byte) (int, error) {
	l <- string(line)
	return len(line), nil
}

// TestDeepSchema: deeply nested schemas are parsed fast. Parsing each level again
// would take minutes.
func TestDeepSchema(t *testing.T) {
	const depth = 4000
	schema := strings.Repeat(`{"properties":{"a":`, depth) + `"` + strings.Repeat("x", 8<<20) + `"` + strings.Repeat(`}}`, depth)
	reply := `{"jsonrpc":"2.0","id":"l","result":{"tools":[{"name":"deep","inputSchema":` + schema + `}]}}`
	s := newSite(t, respondWith(200, "application/json", reply))
	start := time.Now()
	lines := runStdio(t, proxy.Stdio{Upstream: s.upstream(t)}, `{"jsonrpc":"2.0","id":"l","method":"tools/list"}`)
	if len(lines) != 1 || lines[0] != reply || time.Since(start) > await.Limit/2 {
		t.Errorf("%d lines after %s", len(lines), time.Since(start))
	}
}

// TestHeadersThatRepeat: values that a client or a tool's schema puts into headers
// cannot set other headers.
func TestHeadersThatRepeat(t *testing.T) {
	const meta = `"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}`
	list := `{"jsonrpc":"2.0","id":"l","method":"tools/list","params":{` + meta + `}}`
	listed := `{"jsonrpc":"2.0","id":"l","result":{"tools":[{"name":"u","inputSchema":true},{"name":"t","inputSchema":{"properties":{"x":true,"y":{"x-mcp-header":5},` +
		`"a":{"x-mcp-header":"A\r\nX-Evil: 1"},"b":{"x-mcp-header":"B: 1"},"c":{"x-mcp-header":"C"},"d":{"x-mcp-header":"../Authorization"}}}}]}}`
	for _, tt := range []struct{ name, request, want string }{
		{"value", `{"jsonrpc":"2.0","id":"p","method":"tools/call","params":{"name":"t\r\nX-Evil: 1","arguments":{},` + meta + `}}`, pingReply},
		{"arguments", `{"jsonrpc":"2.0","id":"p","method":"tools/call","params":{"name":"t","arguments":{"a":"1","b":"1","c":"1\r\nX-Evil: 1","d":"1"},` + meta + `}}`, pingReply},
		{"method", `{"jsonrpc":"2.0","id":"p","method":"ping\r\nX-Evil: 1","params":{` + meta + `}}`, `"id":"p","error"`},
		{"version", `{"jsonrpc":"2.0","id":"p","method":"ping","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28\r\nX-Evil: 1"}}}`, `"id":"p","error"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				if r.Header.Get("Mcp-Method") == "tools/list" {
					io.WriteString(w, listed)
					return
				}
				io.WriteString(w, pingReply)
			}))
			r := start(t, proxy.Stdio{Upstream: s.upstream(t)})
			r.send(t, list)
			await.True(t, "the tools are listed", func() bool { return strings.Contains(r.output(), listed) })
			r.send(t, tt.request)
			r.closeInput(t)
			if got := r.output(); !strings.Contains(got, tt.want) {
				t.Errorf("responses %s, want %s", got, tt.want)
			}
			last := s.requests(http.MethodPost)[len(s.requests(http.MethodPost))-1]
			if tt.name == "arguments" && last.Header.Get("Mcp-Param-C") == "" {
				t.Error("the allowed header is missing")
			}
			for _, request := range s.requests(http.MethodPost) {
				for name := range request.Header {
					if strings.Contains(name, "Evil") || strings.HasPrefix(name, "Mcp-Param-") && name != "Mcp-Param-C" {
						t.Errorf("header %s: %q", name, request.Header[name])
					}
				}
			}
		})
	}
}

// endlessServer is a server that repeats a text while the stream is open.
type endlessServer struct {
	text           string
	started, ended chan struct{}
}

func (e endlessServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	body, _ := io.ReadAll(r.Body)
	if methodOf(body) != "ping" {
		w.WriteHeader(http.StatusAccepted)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	for n := 0; r.Context().Err() == nil; n++ {
		io.WriteString(w, e.text)
		w.(http.Flusher).Flush()
		if n == 1 {
			e.started <- struct{}{}
		}
		time.Sleep(time.Millisecond) // endless, but not a flood
	}
	e.ended <- struct{}{}
}

// TestEndlessStream: the stream of a server that never stops is closed when the
// client has its response or cancels the request, and when the client has exited.
func TestEndlessStream(t *testing.T) {
	const notice = "data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\"}\n\n"
	stateless := `{"jsonrpc":"2.0","id":"p","method":"ping","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}`
	for _, tt := range []struct {
		name, text, ask, then string
		end                   bool
	}{
		{"cancelled", notice, pingRequest, cancellation(`"p"`), false},
		{"canceled, with ids", "id: 1\n" + notice, pingRequest, cancellation(`"p"`), false},
		{"canceled, stateless", notice, stateless, cancellation(`"p"`), false},
		{"canceled, no line", "data: x", pingRequest, cancellation(`"p"`), false},
		{"canceled, no event", "data: x\n", pingRequest, cancellation(`"p"`), false},
		{"canceled, comments", ": x\n", pingRequest, cancellation(`"p"`), false},
		{"answered", "data: " + pingReply + "\n\n", pingRequest, "", false},
		{"client exited", "id: 1\n" + notice, pingRequest, "", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e := endlessServer{tt.text, make(chan struct{}, 9), make(chan struct{}, 9)}
			s := newSite(t, e)
			r := start(t, proxy.Stdio{Upstream: s.upstream(t), MaxMessage: 1 << 20, Drain: 100 * time.Millisecond})
			r.send(t, tt.ask)
			await.Receive(t, "beginning of the stream", e.started)
			r.send(t, tt.then)
			if tt.end {
				r.closeInput(t)
			}
			await.Receive(t, "end of the stream", e.ended)
			if !tt.end {
				r.closeInput(t)
			}
			if n := strings.Count(r.output(), pingReply); n > 1 {
				t.Errorf("%d responses", n)
			}
		})
	}
}

// TestRunLeavesNoGoroutines: everything that a run started ends with it.
func TestRunLeavesNoGoroutines(t *testing.T) {
	before := runtime.NumGoroutine()
	s := newSite(t, silentServer())
	up := s.upstream(t)
	transport := &http.Transport{}
	up.Transport = transport
	for range 20 {
		r := start(t, proxy.Stdio{Upstream: up, Drain: time.Millisecond})
		r.send(t, pingWithID(1), pingWithID(2), cancellation("1"), `{"jsonrpc":"2.0","method":"x"}`, pingWithID(3))
		r.closeInput(t)
	}
	transport.CloseIdleConnections()
	s.CloseClientConnections()
	await.True(t, "goroutines end", func() bool {
		s.CloseClientConnections()
		return runtime.NumGoroutine() <= before+8 // the server's own stream
	})
}

// TestResponsesOfOtherRequests: a response that arrives on another stream is forwarded once
// if its request is in flight, and not otherwise.
func TestResponsesOfOtherRequests(t *testing.T) {
	response := func(id int) string { return fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"result":{}}`, id) }
	first := make(chan bool)
	s := newSite(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("Content-Type", "text/event-stream")
		if strings.Contains(string(body), `"id":1`) {
			w.(http.Flusher).Flush()
			close(first)
			<-r.Context().Done()
			return
		}
		<-first
		for _, id := range []int{99, 1, 1, 2, 2, 98} {
			fmt.Fprintf(w, "data: %s\n\n", response(id))
		}
	}))
	r := start(t, proxy.Stdio{Upstream: s.upstream(t)})
	for id := 1; id <= 2; id++ {
		r.send(t, fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":"a"}}`, id))
	}
	r.closeInput(t)
	if got, want := r.output(), response(1)+"\n"+response(2)+"\n"; got != want {
		t.Errorf("forwarded\n%swant\n%s", got, want)
	}
}

// TestResponsesOnTheServersStream: the same holds for the stream that the server opens for
// its own messages.
func TestResponsesOnTheServersStream(t *testing.T) {
	s := newSite(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			w.Header().Set("Content-Type", "text/event-stream")
			fmt.Fprintf(w, "data: %s\n\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"after\"}\n\n", pingReply)
			w.(http.Flusher).Flush()
			<-r.Context().Done()
			return
		}
		body, _ := io.ReadAll(r.Body)
		if strings.Contains(string(body), `"initialize"`) {
			w.Header().Set("Mcp-Session-Id", "s1")
			w.Header().Set("Content-Type", "application/json")
			io.WriteString(w, `{"jsonrpc":"2.0","id":0,"result":{"protocolVersion":"2025-11-25"}}`)
			return
		}
		w.WriteHeader(http.StatusAccepted)
	}))
	r := start(t, proxy.Stdio{Upstream: s.upstream(t)})
	r.send(t, initializeRequest)
	r.send(t, `{"jsonrpc":"2.0","method":"notifications/initialized"}`)
	await.True(t, "the stream has been read", func() bool { return strings.Contains(r.output(), "after") })
	r.closeInput(t)
	if strings.Contains(r.output(), pingReply) {
		t.Errorf("forwarded %s", r.output())
	}
}
