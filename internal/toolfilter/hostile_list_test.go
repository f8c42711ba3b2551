package toolfilter_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/mcp-login/mcp-login/internal/mcpwire"
	"github.com/mcp-login/mcp-login/internal/toolfilter"
)

// constantServer is a server that sends one response to everything.
type constantServer struct {
	mediaType, body string
	code            int
	encoding        string
}

func (a constantServer) RoundTrip(req *http.Request) (*http.Response, error) {
	resp := mcpwire.Stream(req, cmp.Or(a.code, http.StatusOK), a.mediaType, io.NopCloser(strings.NewReader(a.body)))
	if a.encoding != "" {
		resp.Header.Set("Content-Encoding", a.encoding)
	}
	return resp, nil
}

// TestUnreadableList: a list that only some parsers can read is not passed
// unfiltered. Many skip a byte order mark, and some detect UTF-16.
func TestUnreadableList(t *testing.T) {
	const list = `{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"delete_a"}]}}`
	for name, server := range map[string]constantServer{
		"a byte order mark":             {mediaType: mcpwire.TypeJSON, body: "\ufeff" + list},
		"UTF-16":                        {mediaType: mcpwire.TypeJSON, body: strings.Join(strings.Split(list, ""), "\x00")},
		"a comment":                     {mediaType: mcpwire.TypeJSON, body: "/**/" + list},
		"a byte order mark in a stream": {mediaType: mcpwire.TypeEvents, body: "\ufeffdata: " + list + "\n\n"},
		"a byte order mark without \\n": {mediaType: mcpwire.TypeEvents, body: "\ufeffdata: " + list + "\r\r"},
		"another status":                {mediaType: mcpwire.TypeJSON, body: list, code: http.StatusCreated},
		"another type":                  {mediaType: "text/plain; note=application/json", body: list},
		"no type":                       {body: "data: " + list + "\n\n"},
		"a content encoding":            {mediaType: mcpwire.TypeEvents, body: "data: " + strings.Join(strings.Split(list, ""), "\x00") + "\n\n", encoding: "br"},
	} {
		f, err := toolfilter.New(toolfilter.Rules{Deny: []string{"delete*"}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		method := http.MethodPost
		if server.mediaType == "" {
			method = http.MethodGet
		}
		req, err := http.NewRequestWithContext(t.Context(), method, "http://127.0.0.1/", strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"tools/list"}`))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := f.Around(server).RoundTrip(req)
		if err != nil {
			continue
		}
		text, err := io.ReadAll(resp.Body)
		if got := strings.ReplaceAll(string(text), "\x00", ""); err != nil || strings.Contains(got, "delete_a") {
			t.Errorf("%s: %q, %v", name, got, err)
		}
		resp.Body.Close()
	}
}

// pagingServer is a server whose list of tools continues at a cursor that the
// client must send back.
type pagingServer struct{ longest int }

func (p *pagingServer) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	p.longest = max(p.longest, len(body))
	var m struct {
		ID json.RawMessage `json:"id"`
	}
	if err := json.Unmarshal(body, &m); err != nil {
		return nil, err
	}
	text := fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"result":{"tools":[],"nextCursor":%q}}`, m.ID, strings.Repeat("c", 8<<20))
	return mcpwire.Respond(req, http.StatusOK, []byte(text)), nil
}

// TestLongCursor: a cursor of many megabytes is neither kept nor sent.
func TestLongCursor(t *testing.T) {
	f, err := toolfilter.New(toolfilter.Rules{Deny: []string{"delete*"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	const call = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a"}}`
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://127.0.0.1/", strings.NewReader(call))
	if err != nil {
		t.Fatal(err)
	}
	server := &pagingServer{}
	resp, err := f.Around(server).RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if server.longest > 1<<20 {
		t.Errorf("the server got %d bytes", server.longest)
	}
}
