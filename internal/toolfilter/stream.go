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
	lines int            // of the message in the event
	first mcpwire.Span   // of those lines
	whole *buffer.Buffer // the message, if it has several lines
}

func newEvents(ctx context.Context, body io.Reader) *events {
	account := buffer.AccountOf(ctx)
	return &events{
		ctx: ctx, r: bufio.NewReaderSize(eventstream.Lines(body), 32<<10),
		event: buffer.New(account, maxMessage), whole: buffer.New(account, maxMessage),
	}
}

// reset drops the event.
func (s *events) reset() {
	s.event.Reset()
	s.whole.Reset()
	s.lines = 0
}

// next reads the next event. An incomplete one at the end is dropped.
func (s *events) next() error {
	s.reset()
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
		if name != "data" {
			continue
		}
		if s.lines++; s.lines == 1 {
			s.first = mcpwire.Span{Start: min(start+value, end), End: end}
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

// message returns the message in the event, which is valid until the next event; nil if
// there is none.
func (s *events) message() ([]byte, error) {
	text, err := s.event.Bytes(s.ctx)
	if err != nil || s.lines == 0 {
		return nil, err
	}
	if s.lines == 1 {
		return text[s.first.Start:s.first.End], nil
	}
	for line := range bytes.Lines(text) {
		if name, value := field(bytes.TrimSuffix(line, []byte("\n"))); name == "data" {
			if err := s.whole.Add(s.ctx, line[min(value, len(line)-1):]); err != nil {
				return nil, err
			}
		}
	}
	return s.whole.Bytes(s.ctx)
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
	s.reset()
	s.event = changed
	return err
}

// stream is the body of a response whose events are filtered.
type stream struct {
	body   io.Closer
	events *events
	filter func(message []byte) []byte
}

// Read implements io.Reader.
func (s *stream) Read(p []byte) (int, error) {
	for s.events.event.Len() == 0 {
		if err := s.events.next(); err != nil {
			s.events.reset() // drop an incomplete event
			return 0, err
		}
		if err := s.filterEvent(); err != nil {
			return 0, err
		}
	}
	return s.events.event.Read(p)
}

func (s *stream) filterEvent() error {
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
	s.events.reset()
	return err
}
