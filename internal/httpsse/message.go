package httpsse

import (
	"bytes"
	"encoding/json"
)

// head is what is read of a message: enough to tell whose it is.
type head struct {
	ID     json.RawMessage `json:"id"`
	Method string          `json:"method"`
	text   json.RawMessage
}

// heads are the messages of a body, which is one or a list.
type heads []head

func parse(text []byte) heads {
	texts := []json.RawMessage{text}
	if bytes.HasPrefix(bytes.TrimSpace(text), []byte("[")) {
		texts = nil // what is no list has no messages
		_ = json.Unmarshal(text, &texts)
	}
	var all heads
	for _, text := range texts {
		h := head{text: text}
		if json.Unmarshal(text, &h) == nil {
			all = append(all, h)
		}
	}
	return all
}

func (h head) isRequest() bool  { return h.Method != "" && len(h.ID) > 0 }
func (h head) isResponse() bool { return h.Method == "" && len(h.ID) > 0 && string(h.ID) != "null" }

func (all heads) initializes() bool { return len(all) == 1 && all[0].Method == "initialize" }

// requests returns the ids that are to be answered.
func (all heads) requests() (ids []string) {
	for _, h := range all {
		if h.isRequest() {
			ids = append(ids, string(bytes.TrimSpace(h.ID)))
		}
	}
	return ids
}

// unknownMethod is the answer of a server that does not know the method of a
// message (JSON-RPC 2.0 §5.1).
func (all heads) unknownMethod() []byte {
	id := json.RawMessage("null")
	if ids := all.requests(); len(ids) > 0 {
		id = json.RawMessage(ids[0])
	}
	text, err := json.Marshal(map[string]any{
		"jsonrpc": "2.0", "id": id,
		"error": map[string]any{"code": -32601, "message": "the server uses HTTP+SSE of 2024-11-05, which requires initialize first"},
	})
	if err != nil {
		return nil // the id was JSON
	}
	return text
}
