package proxy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/mcp-login/mcp-login/internal/ascii"
)

// The methods that a bridge must know; all others pass by.
const (
	methodInitialize   = "initialize"
	methodInitialized  = "notifications/initialized"
	methodCancelled    = "notifications/cancelled"
	methodListTools    = "tools/list"
	methodCallTool     = "tools/call"
	methodGetPrompt    = "prompts/get"
	methodReadResource = "resources/read"
	methodSubscribe    = "subscriptions/listen"

	// Those that are answered here as long as the user is not signed in.
	methodDiscover      = "server/discover"
	methodPing          = "ping"
	methodListPrompts   = "prompts/list"
	methodListResources = "resources/list"
	methodListTemplates = "resources/templates/list"
	methodElicit        = "elicitation/create"
	methodElicited      = "notifications/elicitation/complete"
)

// JSON-RPC error codes (JSON-RPC 2.0 §5.1).
const (
	codeParseError     = -32700
	codeInvalidRequest = -32600
	codeMethodNotFound = -32601
	codeUpstream       = -32000 // ours: the message did not get through
)

// message is one JSON-RPC message: its text, and what is needed of it.
type message struct {
	text    []byte
	Version string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id"`
	Method  string          `json:"method"`
	Params  parameters      `json:"params"`
	Error   json.RawMessage `json:"error"`

	input input // that answers this program
}

// parameters are those that decide how a message is sent.
type parameters struct {
	Name      string                     `json:"name"`
	URI       string                     `json:"uri"`
	RequestID json.RawMessage            `json:"requestId"`
	Cursor    string                     `json:"cursor"` // of a list's next page
	State     string                     `json:"requestState"`
	Arguments map[string]json.RawMessage `json:"arguments"`
	Meta      struct {
		// Version is on every request of the stateless protocol (SEP-2575).
		Version string `json:"io.modelcontextprotocol/protocolVersion"`
	} `json:"_meta"`
}

// UnmarshalJSON takes what it can read: whether params are right is for the
// server to say.
func (p *parameters) UnmarshalJSON(data []byte) error {
	type plain parameters
	var all plain
	if err := json.Unmarshal(data, &all); err == nil {
		*p = parameters(all)
		return nil
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal(data, &fields) != nil {
		return nil // not an object
	}
	for name, to := range map[string]any{"name": &p.Name, "uri": &p.URI, "requestId": &p.RequestID, "cursor": &p.Cursor, "requestState": &p.State, "_meta": &p.Meta} {
		_ = json.Unmarshal(fields[name], to) // another type than expected: left out
	}
	return nil
}

var errNotMessage = errors.New("not a JSON-RPC message")

// maxBatch bounds a batch: a short text can hold many messages.
const maxBatch = 1000

// parseMessages reads a message, or the messages of a batch, which 2025-03-26 knows.
func parseMessages(text []byte, one func([]byte) (message, error)) ([]message, error) {
	text = bytes.TrimSpace(text)
	if len(text) == 0 || text[0] != '[' {
		m, err := one(text)
		return []message{m}, err
	}
	if countElements(text) > maxBatch {
		return nil, fmt.Errorf("%w: a batch of more than %d messages", errNotMessage, maxBatch)
	}
	var batch []json.RawMessage
	if err := json.Unmarshal(text, &batch); err != nil {
		return nil, errNotMessage
	}
	var all []message
	for _, text := range batch {
		m, err := one(text)
		if err != nil {
			return nil, err
		}
		all = append(all, m)
	}
	return all, nil
}

// countElements counts the elements of a JSON array, before any memory is used for
// them.
func countElements(text []byte) int {
	n, depth, quoted := 1, 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '[' || c == '{':
			depth++
		case c == ']' || c == '}':
			depth--
		case c == ',' && depth == 1:
			n++
		}
	}
	return n
}

func parseClientMessage(text []byte) (message, error) {
	m := message{text: text}
	if !m.isObject() || json.Unmarshal(text, &m) != nil {
		return m, errNotMessage
	}
	return m.validated()
}

// parseServerMessage is parseOne for what the server sends, whose params are none of
// this program's concern.
func parseServerMessage(text []byte) (message, error) {
	var heard struct {
		Version string          `json:"jsonrpc"`
		ID      json.RawMessage `json:"id"`
		Method  string          `json:"method"`
		Error   json.RawMessage `json:"error"`
	}
	m := message{text: text}
	if !m.isObject() || json.Unmarshal(text, &heard) != nil {
		return m, errNotMessage
	}
	m.Version, m.ID, m.Method, m.Error = heard.Version, heard.ID, heard.Method, heard.Error
	return m.validated()
}

func (m message) isObject() bool { return len(m.text) > 0 && m.text[0] == '{' }

func (m message) validated() (message, error) {
	if m.Version != "2.0" {
		return m, errNotMessage
	}
	if string(m.ID) == "null" {
		m.ID = nil
	}
	return m, nil
}

func (m message) isRequest() bool  { return m.ID != nil && m.Method != "" }
func (m message) isResponse() bool { return m.Method == "" }

// isErrorWithoutID reports an error about a request whose id the server did not read,
// or about the session.
func (m message) isErrorWithoutID() bool { return m.isResponse() && m.ID == nil && m.Error != nil }

// isValidID reports whether a JSON value is of a kind that names a request.
func isValidID(id json.RawMessage) bool {
	return len(id) > 0 && (id[0] == '"' || id[0] == '-' || ascii.Digit(rune(id[0])))
}

// isResponseTo reports whether m is the response to a request. A server may write
// the same id in another way.
func (m message) isResponseTo(req message) bool {
	if m.isResponse() && bytes.Equal(m.ID, req.ID) {
		return true // also of a number beyond what can be compared
	}
	var a, b any
	if !m.isResponse() || !isValidID(m.ID) || json.Unmarshal(m.ID, &a) != nil || json.Unmarshal(req.ID, &b) != nil {
		return false
	}
	switch a.(type) {
	case string, float64:
		return a == b
	}
	return false // no id that JSON-RPC knows
}

// oldestVersion is the first version of Streamable HTTP.
const oldestVersion = "2025-03-26"

// withVersion returns an initialize that offers another version, if it offered a
// newer one.
func (m message) withVersion(version string) (message, bool) {
	var doc, params map[string]json.RawMessage
	var offered string
	if json.Unmarshal(m.text, &doc) != nil || json.Unmarshal(doc["params"], &params) != nil ||
		json.Unmarshal(params["protocolVersion"], &offered) != nil || offered <= version {
		return m, false
	}
	params["protocolVersion"] = json.RawMessage(`"` + version + `"`)
	var err error
	if doc["params"], err = json.Marshal(params); err != nil {
		return m, false
	}
	if m.text, err = json.Marshal(doc); err != nil {
		return m, false
	}
	return m, true
}

// routingName is what the header Mcp-Name repeats (SEP-2243).
func (m message) routingName() string {
	switch m.Method {
	case methodCallTool, methodGetPrompt:
		return m.Params.Name
	case methodReadResource:
		return m.Params.URI
	}
	return ""
}

// errorText returns the answer to a request that did not get through. No id means
// a message whose id could not be read.
func errorText(id json.RawMessage, code int, text string) []byte {
	type rpcError struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
	}
	return errorResponse(id, rpcError{code, text})
}

// errorResponse returns an error response.
func errorResponse(id json.RawMessage, rpcError any) []byte {
	if id == nil {
		id = json.RawMessage("null")
	}
	return encodeJSON(struct {
		Version string          `json:"jsonrpc"`
		ID      json.RawMessage `json:"id"`
		Error   any             `json:"error"`
	}{"2.0", id, rpcError})
}

// resultResponse returns the answer to a request.
func resultResponse(id json.RawMessage, result any) []byte {
	return encodeJSON(struct {
		Version string          `json:"jsonrpc"`
		ID      json.RawMessage `json:"id"`
		Result  any             `json:"result"`
	}{"2.0", id, result})
}

// newRequest returns a request of this program to the client. It is a notification
// without an id.
func newRequest(id, method string, params any) []byte {
	return encodeJSON(struct {
		Version string `json:"jsonrpc"`
		ID      string `json:"id,omitempty"`
		Method  string `json:"method"`
		Params  any    `json:"params,omitempty"`
	}{"2.0", id, method, params})
}

// encodeJSON returns a message's text. Strings, numbers and valid JSON: it cannot fail.
func encodeJSON(message any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(message)
	return bytes.TrimSpace(b.Bytes())
}

// cancelNotification tells the client that the server ended a subscription, which
// over HTTP the end of the stream says.
func cancelNotification(id json.RawMessage) []byte {
	return []byte(strings.Join([]string{`{"jsonrpc":"2.0","method":"`, methodCancelled, `","params":{"requestId":`, string(id), `,"reason":"the server ended the stream"}}`}, ""))
}

// oneLine makes a message's text one line with its end, in place. Raw line
// breaks are nothing but white space in JSON: within a string they are escaped
// (RFC 8259 §7).
func oneLine(text []byte) []byte {
	line := bytes.TrimSpace(text)
	for _, end := range []byte("\r\n") {
		for rest := line; ; {
			i := bytes.IndexByte(rest, end)
			if i < 0 {
				break
			}
			rest[i] = ' '
			rest = rest[i+1:]
		}
	}
	return append(line, '\n')
}
