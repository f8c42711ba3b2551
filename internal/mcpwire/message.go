package mcpwire

import (
	"bytes"
	"encoding/json"

	"github.com/mcp-login/mcp-login/internal/ascii"
)

// JSON-RPC error codes (JSON-RPC 2.0 §5.1).
const (
	CodeParse   = -32700
	CodeInvalid = -32600
	CodeMethod  = -32601
	CodeParams  = -32602
)

// IsID reports whether a JSON value is of a kind that names a request.
func IsID(id json.RawMessage) bool {
	return len(id) > 0 && (id[0] == '"' || id[0] == '-' || ascii.Digit(rune(id[0])))
}

// SameID reports whether the id of a response is that of a request. A server may
// write the same id in another way.
func SameID(response, request json.RawMessage) bool {
	if bytes.Equal(response, request) {
		return true // also of a number beyond what can be compared
	}
	var a, b any
	if !IsID(response) || json.Unmarshal(response, &a) != nil || json.Unmarshal(request, &b) != nil {
		return false
	}
	switch a.(type) {
	case string, float64:
		return a == b
	}
	return false // no id that JSON-RPC knows
}

// Request returns a request. With a nil id, it is a notification.
func Request(id any, method string, params any) []byte {
	return Encode(struct {
		Version string `json:"jsonrpc"`
		ID      any    `json:"id,omitempty"`
		Method  string `json:"method"`
		Params  any    `json:"params,omitempty"`
	}{"2.0", id, method, params})
}

// Result returns the answer to a request.
func Result(id json.RawMessage, result any) []byte {
	return Encode(struct {
		Version string          `json:"jsonrpc"`
		ID      json.RawMessage `json:"id"`
		Result  any             `json:"result"`
	}{"2.0", id, result})
}

// Failure returns an error response. A nil id means a message whose id could not be
// read.
func Failure(id json.RawMessage, code int, text string) []byte {
	return FailureOf(id, struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
	}{code, text})
}

// FailureOf is Failure with an error object that exists already.
func FailureOf(id json.RawMessage, object any) []byte {
	if id == nil {
		id = json.RawMessage("null")
	}
	return Encode(struct {
		Version string          `json:"jsonrpc"`
		ID      json.RawMessage `json:"id"`
		Error   any             `json:"error"`
	}{"2.0", id, object})
}

// Encode returns the JSON of a message, which consists of strings, numbers and valid
// JSON, so that it cannot fail.
func Encode(message any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(message)
	return bytes.TrimSpace(b.Bytes())
}
