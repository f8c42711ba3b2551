package proxy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/mcp-login/mcp-login/internal/mcpwire"
)

// The methods that a bridge must know; all others pass by.
const (
	initialize  = "initialize"
	initialized = "notifications/initialized"
	cancelled   = "notifications/cancelled"
	listTools   = "tools/list"
	callTool    = "tools/call"
	getPrompt   = "prompts/get"
	readFile    = "resources/read"
	listen      = "subscriptions/listen"

	// Those that are answered here as long as the user is not signed in.
	discover      = "server/discover"
	ping          = "ping"
	listPrompts   = "prompts/list"
	listResources = "resources/list"
	listTemplates = "resources/templates/list"
	elicit        = "elicitation/create"
	elicited      = "notifications/elicitation/complete"
)

// codeUpstream is the JSON-RPC error code of a message that did not get through.
const codeUpstream = -32000

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

// parse reads a message, or the messages of a batch, which 2025-03-26 knows.
func parse(text []byte, one func([]byte) (message, error)) ([]message, error) {
	text = bytes.TrimSpace(text)
	if len(text) == 0 || text[0] != '[' {
		m, err := one(text)
		return []message{m}, err
	}
	if elements(text) > maxBatch {
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

// elements counts the elements of a JSON array, before any memory is used for
// them.
func elements(text []byte) int {
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

func parseOne(text []byte) (message, error) {
	m := message{text: text}
	if !m.isObject() || json.Unmarshal(text, &m) != nil {
		return m, errNotMessage
	}
	return m.checked()
}

// parseHeard is parseOne for what the server sends, whose params are none of
// this program's concern.
func parseHeard(text []byte) (message, error) {
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
	return m.checked()
}

func (m message) isObject() bool { return len(m.text) > 0 && m.text[0] == '{' }

func (m message) checked() (message, error) {
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

// isNamelessError reports an error about a request whose id the server did not read,
// or about the session.
func (m message) isNamelessError() bool { return m.isResponse() && m.ID == nil && m.Error != nil }

// answers reports whether m is the response to a request.
func (m message) answers(asked message) bool {
	return m.isResponse() && mcpwire.SameID(m.ID, asked.ID)
}

// oldest is the first version of Streamable HTTP.
const oldest = "2025-03-26"

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

// name is what the header Mcp-Name repeats (SEP-2243).
func (m message) name() string {
	switch m.Method {
	case callTool, getPrompt:
		return m.Params.Name
	case readFile:
		return m.Params.URI
	}
	return ""
}

// cancellation tells the client that the server ended a subscription, which
// over HTTP the end of the stream says.
func cancellation(id json.RawMessage) []byte {
	return []byte(strings.Join([]string{`{"jsonrpc":"2.0","method":"`, cancelled, `","params":{"requestId":`, string(id), `,"reason":"the server ended the stream"}}`}, ""))
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
