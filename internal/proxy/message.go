package proxy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/mcp-login/mcp-login/internal/buffer"
	"github.com/mcp-login/mcp-login/internal/mcpwire"
)

// The methods that the proxy must know; all others are forwarded.
const (
	methodInitialize   = "initialize"
	methodInitialized  = "notifications/initialized"
	methodCancelled    = "notifications/cancelled"
	methodListTools    = "tools/list"
	methodCallTool     = "tools/call"
	methodGetPrompt    = "prompts/get"
	methodReadResource = "resources/read"
	methodSubscribe    = "subscriptions/listen"

	// Those that are answered here while the user is not signed in.
	methodDiscover      = "server/discover"
	methodPing          = "ping"
	methodListPrompts   = "prompts/list"
	methodListResources = "resources/list"
	methodListTemplates = "resources/templates/list"
	methodElicit        = "elicitation/create"
	methodElicited      = "notifications/elicitation/complete"
)

// codeUpstream is the JSON-RPC error code for a message that could not be forwarded.
const codeUpstream = -32000

// message is a JSON-RPC message: its text, and the fields that the proxy needs.
type message struct {
	text    []byte          // nil if it is in buf
	buf     *buffer.Buffer  // holds a message of the server
	at      mcpwire.Span    // where the message is in buf
	Version string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id"`
	Method  string          `json:"method"`
	Params  parameters      `json:"params"`
	Error   json.RawMessage `json:"error"`

	input input // for this program's own input-required result
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

// UnmarshalJSON reads the fields that it can. Whether the parameters are valid is for the
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
		_ = json.Unmarshal(fields[name], to) // leave out a value of another type
	}
	return nil
}

// maxBatch limits a batch, because a short text can hold many messages.
const maxBatch = 1000

// parseMessages parses a message of the client, or the messages of a batch, which
// 2025-03-26 allows.
func parseMessages(text []byte) ([]message, error) {
	text = bytes.TrimSpace(text)
	if len(text) == 0 || text[0] != '[' {
		m, err := parseClientMessage(text)
		return []message{m}, err
	}
	var s mcpwire.Scanner
	_, _ = s.Write(text) // it cannot fail
	return parseBatch(text, s.Elements(), parseClientMessage)
}

// parseBatch parses a batch of n messages.
func parseBatch(text []byte, n int, parse func([]byte) (message, error)) ([]message, error) {
	if n > maxBatch {
		return nil, fmt.Errorf("%w: a batch of more than %d messages", mcpwire.ErrNotMessage, maxBatch)
	}
	var batch []json.RawMessage
	if err := json.Unmarshal(text, &batch); err != nil {
		return nil, mcpwire.ErrNotMessage
	}
	var all []message
	for _, text := range batch {
		m, err := parse(text)
		if err != nil {
			return nil, err
		}
		all = append(all, m)
	}
	return all, nil
}

func parseClientMessage(text []byte) (message, error) {
	m := message{text: text}
	if len(text) == 0 || text[0] != '{' || json.Unmarshal(text, &m) != nil || m.Version != "2.0" {
		return m, mcpwire.ErrNotMessage
	}
	if string(m.ID) == "null" {
		m.ID = nil
	}
	return m, nil
}

func (m message) isRequest() bool  { return m.ID != nil && m.Method != "" }
func (m message) isResponse() bool { return m.Method == "" }

// isErrorWithoutID reports an error about the session, or about a request whose id the
// server could not read.
func (m message) isErrorWithoutID() bool { return m.isResponse() && m.ID == nil && m.Error != nil }

// isResponseTo reports whether m is the response to a request.
func (m message) isResponseTo(req message) bool {
	return m.isResponse() && mcpwire.SameID(m.ID, req.ID)
}

// oldestVersion is the first version of Streamable HTTP.
const oldestVersion = "2025-03-26"

// withVersion returns an initialize that offers an older version, and reports whether m
// offered a newer one.
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

// routingName is what the Mcp-Name header repeats (SEP-2243).
func (m message) routingName() string {
	switch m.Method {
	case methodCallTool, methodGetPrompt:
		return m.Params.Name
	case methodReadResource:
		return m.Params.URI
	}
	return ""
}

// cancelNotification notifies the client that the server ended a subscription, which over
// HTTP the end of the stream does.
func cancelNotification(id json.RawMessage) []byte {
	return []byte(strings.Join([]string{`{"jsonrpc":"2.0","method":"`, methodCancelled, `","params":{"requestId":`, string(id), `,"reason":"the server ended the stream"}}`}, ""))
}

// oneLine makes a message's text one line, in place. A raw line break in JSON is only white
// space: inside a string it is escaped (RFC 8259 §7).
func oneLine(text []byte) []byte {
	for _, end := range []byte("\r\n") {
		for rest := text; ; {
			i := bytes.IndexByte(rest, end)
			if i < 0 {
				break
			}
			rest[i] = ' '
			rest = rest[i+1:]
		}
	}
	return text
}
