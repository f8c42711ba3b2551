package toolfilter_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/mcp-login/mcp-login/internal/mcpwire"
	"github.com/mcp-login/mcp-login/internal/toolfilter"
)

// answering is a server with one answer to everything.
type answering struct{ mediaType, body string }

func (a answering) RoundTrip(req *http.Request) (*http.Response, error) {
	return mcpwire.Stream(req, http.StatusOK, a.mediaType, io.NopCloser(strings.NewReader(a.body))), nil
}

// TestUnreadableList: a list that only some readers can read does not pass unfiltered. Many
// skip a byte order mark, and some find out that a text is UTF-16.
func TestUnreadableList(t *testing.T) {
	const list = `{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"delete_a"}]}}`
	for name, server := range map[string]answering{
		"a mark":            {mcpwire.TypeJSON, "\ufeff" + list},
		"UTF-16":            {mcpwire.TypeJSON, strings.Join(strings.Split(list, ""), "\x00")},
		"a comment":         {mcpwire.TypeJSON, "/**/" + list},
		"a stream's mark":   {mcpwire.TypeEvents, "\ufeffdata: " + list + "\n\n"},
		"a mark and no \\n": {mcpwire.TypeEvents, "\ufeffdata: " + list + "\r\r"},
	} {
		f, err := toolfilter.New(toolfilter.Rules{Deny: []string{"delete*"}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://127.0.0.1/", strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"tools/list"}`))
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
