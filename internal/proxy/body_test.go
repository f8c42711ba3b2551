package proxy_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/mcp-login/mcp-login/internal/await"
	"github.com/mcp-login/mcp-login/internal/proxy"
)

// recordingHandler is a server that records the request bodies, and responds to every
// request in them.
func recordingHandler(bodies chan<- string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("Content-Type", "application/json")
		switch methodOf(body) {
		case "initialize":
			w.Header().Set("Mcp-Session-Id", "s1")
			io.WriteString(w, `{"jsonrpc":"2.0","id":0,"result":{"protocolVersion":"2025-03-26","capabilities":{},"serverInfo":{"name":"s","version":"1"}}}`)
		case "notifications/initialized":
			w.WriteHeader(http.StatusAccepted)
		default:
			bodies <- string(body)
			io.WriteString(w, "["+pingReply+"]")
		}
	}
}

// TestBodiesOfASignedOutClient: a body other than a single short message is not
// lost in a session that began while the user was signed out: each request gets an
// error until the user signs in, and then the server receives the body.
func TestBodiesOfASignedOutClient(t *testing.T) {
	long := `{"jsonrpc":"2.0","id":"long","method":"tools/list","params":{"x":"` + strings.Repeat("x", 5<<20) + `"}}`
	for name, tt := range map[string]struct {
		body   string
		errors []string // the request IDs
	}{
		"batch":         {"[" + pingRequest + "," + pingWithID(7) + `,{"jsonrpc":"2.0","method":"notifications/x"}]`, []string{`"p"`, "7"}},
		"notifications": {`[{"jsonrpc":"2.0","method":"notifications/x"}]`, nil},
		"long":          {long, nil},
		"not a message": {`{"jsonrpc":"2.0"`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			bodies := make(chan string, 9)
			p := newSiteUser(t, recordingHandler(bodies))
			post := p.poster(t)
			session := post("", initializeRequest).Header.Get("Mcp-Session-Id")
			resp := post(session, tt.body)
			got := bodyText(t, resp)
			if tt.errors == nil && resp.StatusCode < 400 {
				t.Errorf("signed out: status %d, %s", resp.StatusCode, got)
			}
			if tt.errors != nil {
				checkErrors(t, got, tt.errors)
			}
			p.site.login(t)
			post(session, tt.body)
			if got := await.Receive(t, "the body", bodies); got != tt.body {
				t.Errorf("the server received %d bytes, want %d", len(got), len(tt.body))
			}
		})
	}
}

// checkErrors checks that a batch contains errors for the requests, which name the
// sign-in tool.
func checkErrors(t *testing.T, text string, ids []string) {
	t.Helper()
	var all []struct {
		ID    json.RawMessage
		Error struct{ Message string }
	}
	if err := json.Unmarshal([]byte(text), &all); err != nil || len(all) != len(ids) {
		t.Fatalf("%s: %v, want %d errors", text, err, len(ids))
	}
	for i, id := range ids {
		if string(all[i].ID) != id || !strings.Contains(all[i].Error.Message, "sign_in") {
			t.Errorf("%s: %q, want an error for %s", all[i].ID, all[i].Error.Message, id)
		}
	}
}

// TestIncompleteAnswers: a call that waited for a sign-in gets a complete response
// of the server or an error, and never a part of the response.
func TestIncompleteAnswers(t *testing.T) {
	for name, tt := range map[string]struct {
		kind, body string
		broken     bool // the stream ends with an error
	}{
		"too long":         {"application/json", `{"jsonrpc":"2.0","id":1,"result":{"x":"` + strings.Repeat("x", 65<<20) + `"}}`, false},
		"cut off":          {"application/json", `{"jsonrpc":"2.0","id":1,"result":{"x":"hal`, false},
		"not JSON":         {"text/html", `<html>`, false},
		"stream, cut off":  {"text/event-stream", "data: {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"x\":\"hal", true},
		"event, cut off":   {"text/event-stream", "data: {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n", true},
		"another protocol": {"application/json", `{"x":1}`, false},
	} {
		t.Run(name, func(t *testing.T) {
			p := newSiteUser(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				if methodOf(body) == "tools/call" {
					respondWith(200, tt.kind, tt.body).ServeHTTP(w, r)
					return
				}
				recordingHandler(nil).ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(body)))
			}))
			h, err := proxy.HTTP{Upstream: p.upstream(t)}.Handler()
			if err != nil {
				t.Fatal(err)
			}
			web := httptest.NewServer(h)
			defer web.Close()
			session := ""
			post := func(body string) *http.Response {
				req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, web.URL, strings.NewReader(body))
				if err != nil {
					t.Fatal(err)
				}
				req.Header.Set("Accept", "application/json, text/event-stream")
				req.Header.Set("Mcp-Session-Id", session)
				resp, err := http.DefaultClient.Do(req)
				if err != nil {
					t.Fatal(err)
				}
				return resp
			}
			hello := post(strings.Replace(initializeRequest, `"capabilities":{}`, `"capabilities":{"elicitation":{"url":{}}}`, 1))
			hello.Body.Close()
			session = hello.Header.Get("Mcp-Session-Id")
			resp := post(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x"}}`) // asks the user to open a page
			p.approve <- nil
			defer resp.Body.Close()
			text, err := io.ReadAll(resp.Body)
			answered := strings.Contains(string(text), `"id":1,"error"`)
			if tt.broken != (err != nil) || tt.broken == answered || answered && strings.Contains(string(text), "hal") {
				t.Errorf("%d bytes, %v", len(text), err)
			}
		})
	}
}
