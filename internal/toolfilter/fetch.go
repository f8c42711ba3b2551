package toolfilter

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/mcp-login/mcp-login/internal/mcpwire"
)

const (
	// maxPages is the maximum number of pages of a list.
	maxPages = 100
	// maxCursor is the maximum length of a page's cursor, which is kept and sent back.
	maxCursor = 64 << 10
)

// errNoList means that a server does not list its tools.
var errNoList = errors.New("the server does not list its tools, so this tool is unknown")

// checkCall returns why a call is not allowed; "" if it is. If the server rejects the
// request for its tools, that response is the one to the call.
func (t *transport) checkCall(req *http.Request, call message) (resp *http.Response, why string, err error) {
	if why = t.refusal(call.tool); why != "" || !t.needsList() {
		return nil, why, nil
	}
	why, known := t.knownRefusal(call.tool)
	if known {
		return nil, why, nil
	}
	resp, err = t.fetchTools(req, call)
	if errors.Is(err, errNoList) {
		return nil, err.Error(), nil
	}
	if resp != nil || err != nil {
		return resp, "", err
	}
	if why, known = t.knownRefusal(call.tool); !known {
		why = notListed
	}
	return nil, why, nil
}

// fetchTools asks the server for its tools as the client would: in the session of the call.
func (t *transport) fetchTools(req *http.Request, call message) (*http.Response, error) {
	cursor := json.RawMessage(nil)
	for range maxPages {
		id := "mcp-login-tools-" + rand.Text()
		resp, err := t.base.RoundTrip(listRequest(req, call, id, cursor))
		if err != nil {
			return nil, err
		}
		if resp.StatusCode != http.StatusOK {
			return resp, nil
		}
		if cursor, err = t.notePage(req.Context(), resp, id); err != nil {
			return nil, err
		}
		if len(cursor) == 0 || string(cursor) == "null" || string(cursor) == `""` {
			return nil, nil
		}
	}
	return nil, nil // use what is known by now
}

// listRequest returns a request for a page of the tools.
func listRequest(req *http.Request, call message, id string, cursor json.RawMessage) *http.Request {
	var params []member
	if cursor != nil {
		params = append(params, member{"cursor", cursor})
	}
	if call.meta != nil {
		params = append(params, member{"_meta", withoutProgressToken(call.meta)})
	}
	text := mcpwire.Request(id, listTools, json.RawMessage(encodeObject(params)))
	out := req.Clone(req.Context())
	out.Header.Del("Accept-Encoding")
	for name := range out.Header {
		if name == mcpwire.HeaderName || strings.HasPrefix(name, mcpwire.HeaderParam) {
			out.Header.Del(name)
		}
	}
	if out.Header.Get(mcpwire.HeaderMethod) != "" {
		out.Header.Set(mcpwire.HeaderMethod, listTools)
	}
	out.Header.Set("Content-Type", mcpwire.TypeJSON)
	out.Header.Set("Accept", mcpwire.TypeJSON+", "+mcpwire.TypeEvents)
	out.ContentLength = int64(len(text))
	out.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(text)), nil }
	out.Body, _ = out.GetBody() // it cannot fail
	return out
}

// withoutProgressToken drops the token for which a server would send the client progress
// notifications.
func withoutProgressToken(meta json.RawMessage) json.RawMessage {
	var left []member
	for _, m := range decodeObject(meta) {
		if m.name != "progressToken" {
			left = append(left, m)
		}
	}
	return encodeObject(left)
}

// notePage records the tools in the response to a request of the filter's own, and returns
// the cursor of the next page.
func (t *transport) notePage(ctx context.Context, resp *http.Response, id string) (next json.RawMessage, err error) {
	note := func(result []byte) (json.RawMessage, error) {
		list := mcpwire.Member(result, "tools")
		if len(list) == 0 || list[0] != '[' && string(list) != "null" {
			return nil, errNoList
		}
		t.noteList(list)
		if next = mcpwire.Member(result, "nextCursor"); len(next) > maxCursor {
			next = nil // use what is known by now
		}
		return bytes.Clone(next), nil
	}
	if mcpwire.MediaType(resp) != mcpwire.TypeEvents {
		buf, text, err := readText(ctx, resp.Body)
		if err != nil {
			return nil, err
		}
		defer buf.Reset()
		result, _ := resultFor(text, id) // nil for an error response
		return note(result)
	}
	defer resp.Body.Close()
	s := newEvents(ctx, io.LimitReader(resp.Body, maxMessage))
	defer s.reset()
	for {
		if s.next() != nil {
			return nil, errNoList
		}
		text, err := s.message()
		if err != nil {
			return nil, err
		}
		if result, ok := resultFor(text, id); ok {
			return note(result)
		}
	}
}
