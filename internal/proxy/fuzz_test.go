package proxy_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/internal/proxy"
	"github.com/mcp-login/mcp-login/oauth"
	"github.com/mcp-login/mcp-login/secrets"
)

// reply is a server without a network.
type reply struct{ kind, body string }

func (r reply) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {r.kind}},
		Body: io.NopCloser(strings.NewReader(r.body)),
	}, nil
}

// FuzzStdio: with any client and server, each line of output is one JSON-RPC
// message, and each request has a response.
func FuzzStdio(f *testing.F) {
	f.Add(pingRequest, false, pingReply)
	f.Add(pingRequest, true, "id: 1\nretry: 1\nevent: message\ndata: {\"jsonrpc\":\"2.0\",\r\ndata: \"id\":\"p\",\"result\":\"\xff\"}\n\n")
	f.Add("["+pingRequest+","+initializeRequest+"]\n"+pingRequest, false, "[\n"+pingReply+"\r\n]")
	f.Add(`{"jsonrpc":"2.0","id":{},"method":"ping"}`, false, `{"jsonrpc":"2.0","id":{},"result":{}}`)
	f.Add(`{"jsonrpc":"2.0","id":{},"method":"tools/list","params":[]}`, true, "data: [{}]\n\ndata\n\n")
	store := &secrets.Memory{}
	record, err := json.Marshal(mcplogin.Credential{Version: 1, Profile: "box", Server: "http://127.0.0.1/mcp", Token: oauth.Token{Access: "t"}})
	if err != nil {
		f.Fatal(err)
	}
	if _, err := store.Put(f.Context(), "box", record, secrets.Any); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, in string, stream bool, body string) {
		kind := "application/json"
		if stream {
			kind = "text/event-stream"
			body = strings.ReplaceAll(body, "id:", "x:") // a resumable stream takes time
		}
		session, err := mcplogin.Open(mcplogin.Config{Profile: "box", Source: mcplogin.Stored(store)})
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		p := proxy.Stdio{Upstream: proxy.Upstream{Session: session, Server: "http://127.0.0.1/mcp", Transport: reply{kind, body}}, MaxMessage: 1000, Drain: time.Minute}
		if err := p.Run(t.Context(), strings.NewReader(in), &out); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(out.String()) {
			var m struct {
				Version string `json:"jsonrpc"`
			}
			if err := json.Unmarshal([]byte(line), &m); err != nil || m.Version != "2.0" || !strings.HasSuffix(line, "\n") {
				t.Errorf("not a message: %q", line)
			}
		}
		if in == pingRequest && !strings.Contains(out.String(), `"error"`) && !strings.Contains(out.String(), `"id"`) {
			t.Errorf("not a response: %q", out.String())
		}
	})
}
