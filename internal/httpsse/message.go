package httpsse

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"

	"github.com/mcp-login/mcp-login/internal/mcpwire"
)

// message is what is needed of a message to route it.
type message struct {
	ID     json.RawMessage
	Method string
	text   []byte // nil if it is all of the body or event
}

// messages are the messages of a body, which is one or a batch.
type messages []message

func parseMessages(text []byte) messages {
	if !isBatch(text) {
		return parseSingle(bytes.NewReader(text))
	}
	var texts []json.RawMessage // none if it is not a batch
	_ = json.Unmarshal(text, &texts)
	var all messages
	for _, text := range texts {
		if m, err := parseMessage(bytes.NewReader(text)); err == nil {
			m.text = text
			all = append(all, m)
		}
	}
	return all
}

func isBatch(text []byte) bool { return bytes.HasPrefix(bytes.TrimSpace(text), []byte("[")) }

// parseSingle reads the message of r; none if it is not a message.
func parseSingle(r io.Reader) messages {
	m, err := parseMessage(r)
	if err != nil {
		return nil
	}
	return messages{m}
}

// parseMessage reads a message until its destination is known. In what every SDK writes,
// the long members come after that and are not read here.
func parseMessage(r io.Reader) (message, error) {
	var h message
	d := json.NewDecoder(r)
	if begin, err := d.Token(); err != nil || begin != json.Delim('{') {
		return h, errors.Join(err, errNotObject)
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return h, err
		}
		var value any = new(json.RawMessage)
		switch {
		case name == "id":
			value = &h.ID
		case name == "method":
			value = &h.Method
		case len(h.ID) > 0 && (h.Method != "" || name == "result" || name == "error"):
			return h, nil
		}
		if err := d.Decode(value); err != nil {
			return h, err
		}
	}
	_, err := d.Token()
	return h, err
}

var errNotObject = errors.New("not a JSON object")

func (h message) isRequest() bool  { return h.Method != "" && len(h.ID) > 0 }
func (h message) isResponse() bool { return h.Method == "" && len(h.ID) > 0 && string(h.ID) != "null" }

func (all messages) isInitialize() bool { return len(all) == 1 && all[0].Method == "initialize" }

// requestIDs returns the IDs of the requests.
func (all messages) requestIDs() (ids []string) {
	for _, h := range all {
		if h.isRequest() {
			ids = append(ids, string(bytes.TrimSpace(h.ID)))
		}
	}
	return ids
}

// methodNotFound is the response of a server that does not know the method of a
// message.
func (all messages) methodNotFound() []byte {
	var id json.RawMessage
	if ids := all.requestIDs(); len(ids) > 0 {
		id = json.RawMessage(ids[0])
	}
	return mcpwire.Failure(id, mcpwire.CodeMethod, "the server uses HTTP+SSE of 2024-11-05, which requires initialize first")
}
