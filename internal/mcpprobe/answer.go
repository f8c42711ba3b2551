package mcpprobe

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"github.com/mcp-login/mcp-login/internal/mcpwire"
	"github.com/mcp-login/mcp-login/oauth"
)

// message is a JSON-RPC message of the server.
type message struct {
	ID     json.RawMessage `json:"id"`
	Method string          `json:"method"`
	Result json.RawMessage `json:"result"`
	Error  *rpcError       `json:"error"`
	text   []byte
}

// rpcError is the error object of an answer (JSON-RPC 2.0 §5.1).
type rpcError struct {
	Code    int             `json:"code"`
	Message string          `json:"message"`
	Data    json.RawMessage `json:"data"`
}

// of is the error of a response.
func (e *rpcError) of(resp *http.Response) error {
	return &answerError{status: resp.StatusCode, rpc: e, err: fmt.Errorf("the server answers with error %d: %s", e.Code, oauth.Sanitize(e.Message, maxShown))}
}

// maxShown is how much of a server's text an error shows, in characters.
const maxShown = 300

// answerError is an answer of the server that is no result.
type answerError struct {
	status int
	rpc    *rpcError // nil: there is none
	err    error
}

func (e *answerError) Error() string { return e.err.Error() }
func (e *answerError) Unwrap() error { return e.err }

// unusable is a 200 that holds no result.
func unusable(format string, a ...any) error {
	return &answerError{status: http.StatusOK, err: fmt.Errorf("%w: %w", oauth.ErrAnswer, fmt.Errorf(format, a...))}
}

// refused returns the error that a response reports; nil if its status is 2xx.
func refused(resp *http.Response) error {
	if resp.StatusCode >= 200 && resp.StatusCode < 300 {
		return nil
	}
	if mcpwire.MediaType(resp) == mcpwire.TypeJSON {
		text, err := io.ReadAll(resp.Body)
		if err != nil {
			return fmt.Errorf("read the answer: %w", err)
		}
		if m, err := parse(text); err == nil && m.Error != nil {
			return m.Error.of(resp)
		}
	}
	return &answerError{status: resp.StatusCode, err: &statusError{resp.StatusCode}}
}

// statusError is a status without a message. It counts as an oauth.Error, which says
// whether it is temporary.
type statusError struct{ status int }

func (e *statusError) Error() string {
	return fmt.Sprintf("the server answers with HTTP %d %s", e.status, http.StatusText(e.status))
}
func (e *statusError) Unwrap() error { return &oauth.Error{Status: e.status} }

// parse reads a message.
func parse(text []byte) (message, error) {
	m := message{text: text}
	if err := json.Unmarshal(text, &m); err != nil {
		return m, unusable("not a JSON-RPC message")
	}
	if string(m.ID) == "null" {
		m.ID = nil
	}
	return m, nil
}

// answers reports whether m is the response to a request, or an error about a request
// whose id the server did not read.
func (m message) answers(id json.RawMessage) bool {
	return m.Method == "" && (mcpwire.SameID(m.ID, id) || m.ID == nil && m.Error != nil)
}

// decode reads the result.
func (m message) decode(result any) error {
	if err := json.Unmarshal(m.Result, result); err != nil {
		return unusable("a result that cannot be read")
	}
	return nil
}

// answer reads the answer to a request.
func (c *client) answer(ctx context.Context, resp *http.Response, id json.RawMessage) (message, error) {
	switch mcpwire.MediaType(resp) {
	case mcpwire.TypeJSON:
		text, err := io.ReadAll(resp.Body)
		if err != nil {
			return message{}, fmt.Errorf("read the answer: %w", err)
		}
		m, err := parse(bytes.TrimSpace(text))
		if err == nil && !m.answers(id) {
			err = unusable("the answer to another request")
		}
		return m, err
	case mcpwire.TypeEvents:
		return c.follow(ctx, resp, id)
	}
	return message{}, unusable("HTTP %d without a message", resp.StatusCode)
}
