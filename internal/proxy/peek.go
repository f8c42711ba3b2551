package proxy

import (
	"bytes"
	"encoding/json"
)

// maxPeek is how much is kept of a name or value that passes by.
const maxPeek = 256

// idPeeker finds the id of a request that is too long to be kept, while its
// text is written to it: clients write the id before or after what is long.
type idPeeker struct {
	depth           int
	quoted, escaped bool
	name, word      []byte // of the outermost object: the member, and the text so far of it or of its name
	id, method      []byte
}

// Write implements io.Writer. It cannot fail.
func (g *idPeeker) Write(text []byte) (int, error) {
	for _, c := range text {
		if g.quoted {
			g.inString(c)
		} else {
			g.outside(c)
		}
	}
	return len(text), nil
}

func (g *idPeeker) inString(c byte) {
	g.keep(c)
	switch {
	case g.escaped:
		g.escaped = false
	case c == '\\':
		g.escaped = true
	case c == '"':
		g.quoted = false
	}
}

func (g *idPeeker) outside(c byte) {
	switch c {
	case ' ', '\t', '\r', '\n':
	case '"':
		g.quoted = true
		g.keep(c)
	case '{', '[':
		g.keep(c) // so that it is no id
		g.depth++
	case '}', ']':
		if g.depth == 1 {
			g.member()
		}
		g.depth--
	case ',':
		if g.depth == 1 {
			g.member()
		}
	case ':':
		if g.depth == 1 {
			g.name, g.word = g.word, nil
		}
	default:
		g.keep(c)
	}
}

// keep keeps what stands in the outermost object itself. A word that is too
// long is cut where it is no id any more.
func (g *idPeeker) keep(c byte) {
	if g.depth == 1 && len(g.word) <= maxPeek {
		g.word = append(g.word, c)
	}
}

// member ends a member of the outermost object.
func (g *idPeeker) member() {
	switch string(g.name) {
	case `"id"`:
		g.id = g.word
	case `"method"`:
		g.method = g.word
	}
	g.name, g.word = nil, nil
}

// requestID returns the id, if there is one and the message is a request.
func (g *idPeeker) requestID() json.RawMessage {
	if len(g.method) == 0 || len(g.id) > maxPeek || !json.Valid(g.id) || !isValidID(g.id) {
		return nil
	}
	return bytes.Clone(g.id)
}
