package proxy

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"strings"

	"github.com/mcp-login/mcp-login/internal/mcpwire"
)

// maxSessionErrorSize is more than an error about a lost session needs.
const maxSessionErrorSize = 2 << 10

// isSessionLost reports whether the response to a message in a session says that the server
// does not know the session. That is a 404. Servers also answer with 400, or with a 200 and
// an error without an id (anthropics/claude-code#27425,
// modelcontextprotocol/typescript-sdk#1476). In the 200 to a request, that is found only
// when the response is read, as errSessionLost. The body can still be read.
func isSessionLost(resp *http.Response, m message) bool {
	switch {
	case resp.StatusCode == http.StatusNotFound:
		return true
	case resp.StatusCode == http.StatusBadRequest:
	case resp.StatusCode != http.StatusOK || m.isRequest() || mcpwire.MediaType(resp) != mcpwire.TypeJSON:
		return false
	}
	body := bufio.NewReaderSize(resp.Body, maxSessionErrorSize)
	resp.Body = struct {
		io.Reader
		io.Closer
	}{body, resp.Body}
	text, err := body.Peek(maxSessionErrorSize)
	return err != nil && isSessionError(text) // a longer body is not such an error
}

// isSessionError reports an error without an id that is about the session.
func isSessionError(text []byte) bool {
	var m struct {
		ID    json.RawMessage `json:"id"`
		Error json.RawMessage `json:"error"`
	}
	return json.Unmarshal(text, &m) == nil && (m.ID == nil || string(m.ID) == "null") && mentionsSession(m.Error)
}

// mentionsSession reports whether a JSON-RPC error is about the session.
func mentionsSession(text json.RawMessage) bool {
	var e struct {
		Message string `json:"message"`
	}
	if json.Unmarshal(text, &e) != nil {
		return false // none
	}
	message := strings.ToLower(e.Message)
	return strings.Contains(message, "session") || strings.Contains(message, "not initialized")
}
