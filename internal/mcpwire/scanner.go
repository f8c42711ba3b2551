package mcpwire

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"math/bits"
	"strings"
)

const (
	// maxDepth is the nesting that encoding/json accepts.
	maxDepth = 10_000
	// maxCaptured is how much of a name or value the scanner itself keeps. Each name
	// that it looks for is shorter, even if all of it is escaped.
	maxCaptured = 256
)

// ErrNotMessage means that a text is not a JSON-RPC message, or not JSON.
var ErrNotMessage = errors.New("not a JSON-RPC message")

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

// Span is where a value stands in a text.
type Span struct{ Start, End int }

// In returns where a span of the text at another one stands.
func (s Span) In(other Span) Span { return Span{other.Start + s.Start, other.Start + s.End} }

// names are the members that decide where a message goes.
var names = [...]string{"jsonrpc", "id", "method", "error"}

// Their indexes.
const (
	version = iota
	id
	method
	failure
	other
)

// member is one of those members in a text.
type member struct {
	Span
	found bool
	text  []byte // the first maxCaptured+1 bytes
}

// Scanner checks a JSON text that is written to it in parts, and finds the members that
// decide where a message goes. It finds them as encoding/json does: the last of two
// counts, and names match whatever their case and however they are escaped. It keeps
// nothing of the rest, so a long message costs one pass and no memory. The zero value is
// ready to use.
type Scanner struct {
	step    step // nil before the first byte
	pos     int
	invalid bool
	done    bool   // the outermost value is complete
	open    []byte // the brackets that are open
	plain   bool   // within a string, and not within an escape
	inName  bool   // the string is the name of a member
	literal string // what is missing of true, false or null
	digits  int    // what is missing of an escaped character

	root     Span
	kind     byte // the first byte of the outermost value
	elements int

	current    int    // the member of the outermost object that the scanner is in
	start      int    // of its value
	captured   []byte // of its name or value
	members    [other]member
	mismatched bool // the version or the method is not a string
}

// Write implements io.Writer. It cannot fail; Complete reports invalid text.
func (s *Scanner) Write(text []byte) (int, error) {
	if s.step == nil {
		s.step, s.current = beginValue, other
	}
	base := s.pos
	for i := 0; i < len(text) && !s.invalid; i++ {
		if s.plain {
			n := plainLength(text[i:])
			s.capture(text[i : i+n]...)
			if i += n; i == len(text) {
				break
			}
		}
		s.pos = base + i
		s.invalid = !s.step(s, text[i])
	}
	s.pos = base + len(text)
	return len(text), nil
}

// Complete reports whether the text is one JSON value. Nothing can be written after.
func (s *Scanner) Complete() bool {
	if s.step == nil || s.invalid {
		return false
	}
	if !s.done {
		s.invalid = !s.step(s, ' ') // ends a number
	}
	return s.done && !s.invalid
}

// Root returns where the outermost value stands, and its first byte.
func (s *Scanner) Root() (at Span, kind byte) { return s.root, s.kind }

// Elements returns how many elements the outermost array has.
func (s *Scanner) Elements() int { return s.elements }

// Head returns the head of the message. At returns a part of the text, which the head
// refers to.
func (s *Scanner) Head(at func(Span) []byte) (h Head, err error) {
	if !s.Complete() || s.kind != '{' || s.mismatched {
		return h, ErrNotMessage
	}
	var texts [other]json.RawMessage
	for i, m := range s.members {
		if m.found {
			texts[i] = at(m.Span)
		}
	}
	h.ID, h.Error = texts[id], texts[failure]
	if text := texts[method]; text != nil {
		_ = json.Unmarshal(text, &h.Method) // a string, as was checked
	}
	var spoken string
	if text := texts[version]; text != nil {
		_ = json.Unmarshal(text, &spoken) // as above
	}
	if spoken != "2.0" {
		return h, ErrNotMessage
	}
	if string(h.ID) == "null" {
		h.ID = nil
	}
	return h, nil
}

// RequestID returns the id of a request whose text nobody keeps; nil if the text is no
// request, or its id is not valid or too long.
func (s *Scanner) RequestID() json.RawMessage {
	text := s.members[id].text
	if !s.members[method].found || len(text) > maxCaptured || !IsID(text) {
		return nil
	}
	return text
}

// plainLength returns how many bytes come before the next quote, backslash or control
// character. It looks at eight at a time.
func plainLength(text []byte) int {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	i := 0
	for ; i+8 <= len(text); i += 8 {
		x := binary.LittleEndian.Uint64(text[i:])
		quote, slash := x^(ones*'"'), x^(ones*'\\')
		found := ((x-ones*0x20)&^x | (quote-ones)&^quote | (slash-ones)&^slash) & highs
		if found != 0 {
			return i + bits.TrailingZeros64(found)/8
		}
	}
	for i < len(text) && text[i] != '"' && text[i] != '\\' && text[i] >= 0x20 {
		i++
	}
	return i
}

// capture keeps the beginning of a name or value of the outermost object.
func (s *Scanner) capture(text ...byte) {
	if len(s.open) == 1 && len(s.captured) <= maxCaptured {
		s.captured = append(s.captured, text[:min(len(text), maxCaptured+1-len(s.captured))]...)
	}
}

// endName finds out which member has the name that was captured.
func (s *Scanner) endName() {
	s.step = colon
	if len(s.open) != 1 {
		return
	}
	var name string
	s.current = other
	if len(s.captured) > maxCaptured || json.Unmarshal(s.captured, &name) != nil {
		return
	}
	for i := range names {
		if strings.EqualFold(name, names[i]) {
			s.current = i
		}
	}
}

// startValue notes the first byte of a value.
func (s *Scanner) startValue(c byte) {
	switch {
	case len(s.open) == 0:
		s.root.Start, s.kind = s.pos, c
	case len(s.open) == 1:
		s.start, s.captured = s.pos, s.captured[:0]
		if s.kind == '[' {
			s.elements++
		}
	}
}

// endValue notes that a value ends before a position.
func (s *Scanner) endValue(end int) {
	s.step = afterValue
	switch len(s.open) {
	case 0:
		s.root.End, s.done = end, true
	case 1:
		s.endMember(end)
	}
}

func (s *Scanner) endMember(end int) {
	i := s.current
	s.current = other
	isText := i == version || i == method
	switch {
	case i == other, isText && s.captured[0] == 'n': // null changes no string
	case isText && s.captured[0] != '"':
		s.mismatched = true
	default:
		s.members[i] = member{Span{s.start, end}, true, append([]byte(nil), s.captured...)}
	}
}
