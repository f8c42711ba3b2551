package toolfilter

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// maxMessage bounds one message of a server or a client.
const maxMessage = 64 << 20

var errTooLong = fmt.Errorf("a message is larger than %d bytes", maxMessage)

// event is one event of a stream.
type event struct {
	raw  []byte // as it was sent
	data []byte // the message in it; nil: there is none
}

// events reads a stream of events (HTML Living Standard §9.2.6) and, unlike eventstream,
// keeps each as it was sent, with its comments and its id.
type events struct{ r *bufio.Reader }

// next returns the next event. One that is cut off is no event.
func (s events) next() (e event, err error) {
	for lines := 0; ; {
		line, err := s.line(maxMessage - len(e.raw))
		if err != nil {
			return event{}, err
		}
		e.raw = append(e.raw, line...)
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 {
			return e, nil
		}
		data, isData := dataField(line)
		if !isData {
			continue
		}
		if lines++; lines > 1 {
			e.data = append(e.data, '\n')
		}
		e.data = append(e.data, data...)
	}
}

// line returns the next line with its end.
func (s events) line(limit int) (line []byte, err error) {
	for {
		part, err := s.r.ReadSlice('\n')
		if len(line)+len(part) > limit {
			return nil, errTooLong
		}
		line = append(line, part...)
		if !errors.Is(err, bufio.ErrBufferFull) {
			return line, err
		}
	}
}

func dataField(line []byte) ([]byte, bool) {
	name, data, _ := bytes.Cut(line, []byte(":"))
	return bytes.TrimPrefix(data, []byte(" ")), string(name) == "data"
}

// withData returns the event with another message in it.
func (e event) withData(data []byte) []byte {
	var b bytes.Buffer
	for line := range bytes.Lines(e.raw) {
		trimmed := bytes.TrimRight(line, "\r\n")
		if _, isData := dataField(trimmed); !isData && len(trimmed) > 0 {
			b.Write(line)
		}
	}
	b.WriteString("data: ")
	b.Write(bytes.ReplaceAll(data, []byte("\n"), []byte(" "))) // white space in JSON
	b.WriteString("\n\n")
	return b.Bytes()
}

// stream is the body of an answer whose events are looked at.
type stream struct {
	io.Closer
	events events
	filter func(data []byte) []byte
	unread []byte // to be read yet
}

func newStream(body io.ReadCloser, look func([]byte) []byte) *stream {
	return &stream{Closer: body, events: events{bufio.NewReaderSize(body, 32<<10)}, filter: look}
}

// Read implements io.Reader.
func (s *stream) Read(p []byte) (int, error) {
	for len(s.unread) == 0 {
		e, err := s.events.next()
		if err != nil {
			return 0, err
		}
		s.unread = e.raw
		if e.data == nil {
			continue
		}
		if data := s.filter(e.data); !bytes.Equal(data, e.data) {
			s.unread = e.withData(data)
		}
	}
	n := copy(p, s.unread)
	s.unread = s.unread[n:]
	return n, nil
}
