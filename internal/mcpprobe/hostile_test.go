package mcpprobe_test

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/internal/mcpprobe"
	"github.com/mcp-login/mcp-login/oauth"
	"github.com/mcp-login/mcp-login/secrets"
)

// stored opens a session with a credential for a server.
func stored(t *testing.T, url string) *mcplogin.Session {
	t.Helper()
	record, err := json.Marshal(mcplogin.Credential{
		Version: 1, Profile: "p", Server: url, Issuer: oauth.Server{Issuer: url, TokenEndpoint: url + "/token"},
		App: oauth.App{ID: "client"}, Token: oauth.Token{Access: "secret", Type: "Bearer"},
	})
	if err != nil {
		t.Fatal(err)
	}
	store := &secrets.Memory{}
	if _, err := store.Put(t.Context(), "p", record, secrets.Any); err != nil {
		t.Fatal(err)
	}
	s, err := mcplogin.Open(mcplogin.Config{Profile: "p", Source: mcplogin.Stored(store)})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// method returns the JSON-RPC method and ID of a request.
func method(r *http.Request) (name string, id json.RawMessage) {
	var m struct {
		Method string          `json:"method"`
		ID     json.RawMessage `json:"id"`
	}
	_ = json.NewDecoder(r.Body).Decode(&m) // not a message: no method
	return m.Method, m.ID
}

// repeatText repeats a text until the client disconnects.
func repeatText(w io.Writer, r *http.Request, text string) {
	text = strings.Repeat(text, 1+(8<<10)/len(text))
	for r.Context().Err() == nil {
		if _, err := io.WriteString(w, text); err != nil {
			return
		}
	}
}

// serverWithTools is a server that works until its tools are listed.
func serverWithTools(tools func(w http.ResponseWriter, r *http.Request, id json.RawMessage)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		switch name, id := method(r); name {
		case "initialize":
			fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"result":{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"x","version":"1"}}}`, id)
		case "tools/list":
			tools(w, r, id)
		default:
			w.WriteHeader(http.StatusAccepted)
		}
	}
}

// TestHostileServersAreBounded: a server that never stops sending ends the run with
// an error that says so, within limited memory.
func TestHostileServersAreBounded(t *testing.T) {
	stream := func(text string) func(http.ResponseWriter, *http.Request, json.RawMessage) {
		return func(w http.ResponseWriter, r *http.Request, _ json.RawMessage) {
			w.Header().Set("Content-Type", "text/event-stream")
			repeatText(w, r, text)
		}
	}
	invalidType := func(w http.ResponseWriter, r *http.Request, _ json.RawMessage) {
		w.Header().Set("Content-Type", "text/event-stream; a=1; a=2")
		repeatText(w, r, ": ping\n\n")
	}
	var page atomic.Int64
	for _, tt := range []struct {
		name, want string
		tools      func(w http.ResponseWriter, r *http.Request, id json.RawMessage)
	}{
		{"gzip bomb", "sent more than 16 MiB", func(w http.ResponseWriter, r *http.Request, _ json.RawMessage) {
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			defer z.Close()
			repeatText(z, r, `{"jsonrpc":"2.0",`)
		}},
		{"endless JSON", "sent more than 16 MiB", func(w http.ResponseWriter, r *http.Request, _ json.RawMessage) {
			repeatText(w, r, `{"jsonrpc":"2.0",`)
		}},
		{"endless JSON of an error", "sent more than 16 MiB", func(w http.ResponseWriter, r *http.Request, _ json.RawMessage) {
			w.WriteHeader(http.StatusBadRequest)
			repeatText(w, r, `{"jsonrpc":"2.0",`)
		}},
		{"endless event", "sent more than 16 MiB", stream("data: x\n")},
		{"endless line", "sent more than 16 MiB", stream("data: x")},
		{"endless comments", "messages", stream(": ping\n\n")},
		{"endless comments whose lines end with \\r", "messages", stream(": ping\r\r")},
		{"endless comments of a type with broken parameters", "messages", invalidType},
		{"endless pings", "messages", stream(`data: {"jsonrpc":"2.0","id":"p","method":"ping"}` + "\n\n")},
		{"endless pings in lines that end with \\r", "messages", stream(`data: {"jsonrpc":"2.0","method":"ping"}` + "\r\r")},
		{"endless pings of a type with parameters", "messages", func(w http.ResponseWriter, r *http.Request, _ json.RawMessage) {
			w.Header().Set("Content-Type", "text/event-stream; a=1; a=2")
			repeatText(w, r, `data: {"jsonrpc":"2.0","method":"ping"}`+"\n\n")
		}},
		{"endless notifications", "messages", stream(`data: {"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"x"}}` + "\r\n\r\n")},
		{"endless pages", "100 pages", func(w http.ResponseWriter, _ *http.Request, id json.RawMessage) {
			fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"result":{"tools":[],"nextCursor":"%d"}}`, id, page.Add(1))
		}},
		{"long pages", "64 MiB for all answers", func(w http.ResponseWriter, _ *http.Request, id json.RawMessage) {
			fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"result":{"tools":[{"name":"t","description":%q,"inputSchema":{"type":"object"}}],"nextCursor":"%d"}}`, id, strings.Repeat("x", 10<<20), page.Add(1))
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			srv := httptest.NewServer(serverWithTools(tt.tools))
			defer srv.Close()
			defer srv.CloseClientConnections()
			before := allocated()
			_, err := mcpprobe.Run(t.Context(), mcpprobe.Config{Session: stored(t, srv.URL), Server: srv.URL, ProtocolVersion: "2025-11-25", Timeout: time.Minute})
			if err == nil || !strings.Contains(err.Error(), tt.want) || oauth.Temporary(err) {
				t.Errorf("Run() = %v, want %q", err, tt.want)
			}
			if grown := allocated() - before; grown > 1<<30 {
				t.Errorf("%d MiB were allocated", grown>>20)
			}
		})
	}
}

func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}

// TestSilentServerTimesOut: a server that never completes its response ends the run
// with an error that says to try again.
func TestSilentServerTimesOut(t *testing.T) {
	sendSlowly := func(w http.ResponseWriter, r *http.Request, _ json.RawMessage) {
		w.Header().Set("Content-Type", "text/event-stream")
		for r.Context().Err() == nil { // slowly, so that no length limit applies
			io.WriteString(w, ": x\n")
			w.(http.Flusher).Flush()
			time.Sleep(10 * time.Millisecond)
		}
	}
	for name, handler := range map[string]http.HandlerFunc{
		"a slow response":                  serverWithTools(sendSlowly),
		"no response to tools/list":        serverWithTools(func(_ http.ResponseWriter, r *http.Request, _ json.RawMessage) { <-r.Context().Done() }),
		"no response to the first request": func(_ http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body); <-r.Context().Done() },
	} {
		t.Run(name, func(t *testing.T) {
			srv := httptest.NewServer(handler)
			defer srv.Close()
			defer srv.CloseClientConnections()
			_, err := mcpprobe.Run(t.Context(), mcpprobe.Config{Session: stored(t, srv.URL), Server: srv.URL, ProtocolVersion: "2025-11-25", Timeout: 200 * time.Millisecond})
			if !errors.Is(err, context.DeadlineExceeded) || !oauth.Temporary(err) {
				t.Errorf("Run() = %v, want a timeout", err)
			}
		})
	}
}

// TestRedirectsOfAPostAreRejected: a request body is not sent to another URL after a
// redirect.
func TestRedirectsOfAPostAreRejected(t *testing.T) {
	requests := make(chan string, 9)
	otherServer := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		requests <- r.Method + " " + string(body)
	}))
	defer otherServer.Close()
	for _, status := range []int{301, 302, 303, 307, 308} {
		for _, target := range []string{otherServer.URL, "http://169.254.169.254/latest/meta-data"} {
			srv := httptest.NewServer(http.RedirectHandler(target, status))
			_, err := mcpprobe.Run(t.Context(), mcpprobe.Config{Session: stored(t, srv.URL), Server: srv.URL})
			if err == nil || !strings.Contains(err.Error(), "a POST is never redirected") {
				t.Errorf("%d to %s: %v", status, target, err)
			}
			srv.Close()
		}
	}
	select {
	case got := <-requests:
		t.Errorf("the other server received a request: %s", got)
	default:
	}
}
