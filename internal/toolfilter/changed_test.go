package toolfilter_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/mcp-login/mcp-login/internal/toolfilter"
)

// scriptedServer is a server that sends these texts, one for each request.
type scriptedServer []string

func (p *scriptedServer) RoundTrip(req *http.Request) (*http.Response, error) {
	sent, _ := io.ReadAll(req.Body)
	text, kind := (*p)[0], "application/json"
	*p = (*p)[1:]
	if i := bytes.Index(sent, []byte("mcp-login-tools-")); i >= 0 {
		id, _, _ := strings.Cut(string(sent[i:]), `"`)
		text = strings.ReplaceAll(text, "ID", `"`+id+`"`)
	}
	if strings.HasPrefix(text, "data:") {
		kind = "text/event-stream"
	}
	return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {kind}}, Body: io.NopCloser(strings.NewReader(text)), Request: req}, nil
}

// readOnly returns a function that sends messages through a filter that allows
// read-only tools.
func readOnly(t *testing.T, server *scriptedServer) func(text string) (answer string) {
	t.Helper()
	f, err := toolfilter.New(toolfilter.Rules{ReadOnly: true}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return func(text string) string {
		t.Helper()
		resp, err := f.Around(server).RoundTrip(httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://127.0.0.1/mcp", strings.NewReader(text)))
		if err != nil {
			t.Fatal(err)
		}
		answer, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(answer)
	}
}

const (
	listed  = `{"jsonrpc":"2.0","id":ID,"result":{"tools":[{"name":"a","annotations":{"readOnlyHint":true}}]}}`
	writes  = `{"jsonrpc":"2.0","id":ID,"result":{"tools":[{"name":"a"}]}}`
	called  = `{"jsonrpc":"2.0","id":1,"result":{}}`
	callOfA = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a"}}`
)

// TestNotificationIsParsedAsJSON: a server may announce changed tools in any
// spelling of JSON. PHP writes a slash as \/.
func TestNotificationIsParsedAsJSON(t *testing.T) {
	changed := `data: {"jsonrpc":"2.0","method":"notifications\/tools\/list_changed"}` + "\n\n"
	server := &scriptedServer{listed, changed + "data: " + called + "\n\n", writes}
	send := readOnly(t, server)
	if answer := send(callOfA); !strings.Contains(answer, `"result"`) {
		t.Error(answer)
	}
	if answer := send(callOfA); !strings.Contains(answer, "read-only") {
		t.Errorf("a tool that writes now was called: %s", answer)
	}
}

// TestListInAnotherResponse: a list of tools that the server sends in the response to
// another request is filtered too, as an event or as JSON.
func TestListInAnotherResponse(t *testing.T) {
	const tools = `{"jsonrpc":"2.0","id":7,"result":{"tools":[{"name":"w"},{"name":"a","annotations":{"readOnlyHint":true}}]}}`
	for _, answer := range []string{"data: " + tools + "\n\ndata: " + called + "\n\n", tools, "[" + tools + "," + called + "]"} {
		send := readOnly(t, &scriptedServer{listed, answer})
		if got := send(callOfA); strings.Contains(got, `"w"`) || !strings.Contains(got, `"a"`) {
			t.Errorf("forwarded %s", got)
		}
	}
}

// TestToolOnSeveralPages: a tool on two pages is read-only only if both say so, in
// either order.
func TestToolOnSeveralPages(t *testing.T) {
	page := func(text string) string { return strings.Replace(text, `"result":{`, `"result":{"nextCursor":"2",`, 1) }
	for _, server := range []*scriptedServer{{page(writes), listed, called}, {page(listed), writes, called}} {
		if answer := readOnly(t, server)(callOfA); !strings.Contains(answer, "read-only") {
			t.Errorf("called: %s", answer)
		}
	}
}
