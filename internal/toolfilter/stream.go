package toolfilter

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"

	"github.com/mcp-login/mcp-login/internal/buffer"
	"github.com/mcp-login/mcp-login/internal/eventstream"
	"github.com/mcp-login/mcp-login/internal/mcpwire"
)

// maxMessage is the maximum size of a message of a server or a client.
const maxMessage = 64 << 20

// events reads a stream of events (HTML Living Standard §9.2.6). Unlike eventstream, it
// keeps all of an event, with its comments and its id. It holds one event at a time.
type events struct {
	ctx   context.Context
	r     *bufio.Reader
	event *buffer.Buffer
	data  []mcpwire.Span // the lines of the message in the event; empty if it has none
}

func newEvents(ctx context.Context, body io.Reader) *events {
	return &events{ctx: ctx, r: bufio.NewReaderSize(eventstream.Lines(body), 32<<10), event: buffer.New(buffer.AccountOf(ctx), maxMessage)}
}

// next reads the next event. An incomplete one at the end is dropped.
func (s *events) next() error {
	s.event.Reset()
	s.data = s.data[:0]
	for {
		start := s.event.Len()
		name, value, err := s.line()
		if err != nil {
			return err
		}
		end := s.event.Len() - 1 // without the line's end
		if start == end {
			return nil
		}
		if name == "data" {
			s.data = append(s.data, mcpwire.Span{Start: min(start+value, end), End: end})
		}
	}
}

// line appends the next line to the event. It returns the name of its field, and where in
// the line the value starts.
func (s *events) line() (name string, value int, err error) {
	for first := true; ; first = false {
		part, err := s.r.ReadSlice('\n')
		if first {
			name, value = field(bytes.TrimSuffix(part, []byte("\n")))
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return "", 0, err
		}
		if err := s.event.Add(s.ctx, part); err != nil || part[len(part)-1] == '\n' {
			return name, value, err
		}
	}
}

func field(line []byte) (name string, value int) {
	before, after, _ := bytes.Cut(line, []byte(":"))
	value = len(before) + 1
	if bytes.HasPrefix(after, []byte(" ")) {
		value++
	}
	if string(before) == "data" { // no other name is needed, and one may be long
		name = "data"
	}
	return name, value
}

// message returns the message in the event; nil if there is none.
func (s *events) message() ([]byte, error) {
	text, err := s.event.Bytes(s.ctx)
	if err != nil || len(s.data) == 0 {
		return nil, err
	}
	if len(s.data) == 1 {
		return text[s.data[0].Start:s.data[0].End], nil
	}
	var lines [][]byte
	for _, at := range s.data {
		lines = append(lines, text[at.Start:at.End])
	}
	return bytes.Join(lines, []byte("\n")), nil
}

// mentions reports whether the event contains a text.
func (s *events) mentions(text string) bool {
	var seam []byte // the end of a block and the beginning of the next
	for _, block := range s.event.Blocks(0, s.event.Len()) {
		seam = append(seam, block[:min(len(block), len(text)-1)]...)
		if bytes.Contains(block, []byte(text)) || bytes.Contains(seam, []byte(text)) {
			return true
		}
		seam = append(seam[:0], block[max(0, len(block)-len(text)+1):]...)
	}
	return false
}

// replace replaces the message in the event.
func (s *events) replace(message []byte) error {
	text, err := s.event.Bytes(s.ctx)
	if err != nil {
		return err
	}
	changed := buffer.New(buffer.AccountOf(s.ctx), maxMessage)
	for line := range bytes.Lines(text) {
		if name, _ := field(bytes.TrimSuffix(line, []byte("\n"))); name != "data" && len(line) > 1 {
			err = errors.Join(err, changed.Add(s.ctx, line))
		}
	}
	for i := range message {
		if message[i] == '\n' {
			message[i] = ' ' // white space in JSON
		}
	}
	for _, part := range [][]byte{[]byte("data: "), message, []byte("\n\n")} {
		err = errors.Join(err, changed.Add(s.ctx, part))
	}
	s.event.Reset()
	s.event = changed
	return err
}

// stream is the body of a response whose events are filtered.
type stream struct {
	body   io.Closer
	events *events
	all    bool // filter each event, not only those that mention list_changed
	filter func(message []byte) []byte
}

// Read implements io.Reader.
func (s *stream) Read(p []byte) (int, error) {
	for s.events.event.Len() == 0 {
		if err := s.events.next(); err != nil {
			s.events.event.Reset() // drop an incomplete event
			return 0, err
		}
		if err := s.filterEvent(); err != nil {
			return 0, err
		}
	}
	return s.events.event.Read(p)
}

func (s *stream) filterEvent() error {
	if !s.all && !s.events.mentions("list_changed") {
		return nil
	}
	message, err := s.events.message()
	if err != nil || message == nil {
		return err
	}
	if filtered := s.filter(message); len(filtered) != len(message) {
		return s.events.replace(filtered)
	}
	return nil
}

// Close implements io.Closer.
func (s *stream) Close() error {
	err := s.body.Close()
	s.events.event.Reset()
	return err
}
