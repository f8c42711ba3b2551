// Package jsonrpc reads the head of a JSON-RPC 2.0 message, and makes the messages and the
// HTTP responses that no server sent. It must not know what the methods mean.
package jsonrpc

import (
	"bytes"
	"encoding/json"

	"github.com/mcp-login/mcp-login/internal/ascii"
)

// Error codes (JSON-RPC 2.0 §5.1).
const (
	CodeParse          = -32700
	CodeInvalidRequest = -32600
	CodeMethodNotFound = -32601
	CodeInvalidParams  = -32602
)

// Head is what decides where a message goes.
type Head struct {
	ID     json.RawMessage // nil: there is none
	Method string          // "": the message is a response
	Error  json.RawMessage // nil: there is none
}

// ReadHead reads the head of a message, which refers to the text.
func ReadHead(text []byte) (Head, error) {
	var s Scanner
	_, _ = s.Write(text) // it cannot fail
	return s.Head(func(at Span) []byte { return text[at.Start:at.End:at.End] })
}

// IsID reports whether a JSON value is of a type that identifies a request.
func IsID(id json.RawMessage) bool {
	return len(id) > 0 && (id[0] == '"' || id[0] == '-' || ascii.Digit(rune(id[0])))
}

// Error returns the error response to a request. A nil id means that the request's id is
// not known.
func Error(id json.RawMessage, code int, text string) []byte {
	return ErrorObject(id, struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
	}{code, text})
}

// ErrorObject is Error for an error object that a server sent.
func ErrorObject(id json.RawMessage, object any) []byte {
	if id == nil {
		id = json.RawMessage("null")
	}
	return Encode(struct {
		Version string          `json:"jsonrpc"`
		ID      json.RawMessage `json:"id"`
		Error   any             `json:"error"`
	}{"2.0", id, object})
}

// Result returns the response to a request that succeeded.
func Result(id json.RawMessage, result any) []byte {
	return Encode(struct {
		Version string          `json:"jsonrpc"`
		ID      json.RawMessage `json:"id"`
		Result  any             `json:"result"`
	}{"2.0", id, result})
}

// Request returns a request, or a notification if the id is "".
func Request(id, method string, params any) []byte {
	return Encode(struct {
		Version string `json:"jsonrpc"`
		ID      string `json:"id,omitempty"`
		Method  string `json:"method"`
		Params  any    `json:"params,omitempty"`
	}{"2.0", id, method, params})
}

// Encode returns the JSON text of strings, numbers, valid JSON and collections of them,
// which always have one.
func Encode(value any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(value)
	return bytes.TrimSpace(b.Bytes())
}
