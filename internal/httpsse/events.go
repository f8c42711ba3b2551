package httpsse

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// reader reads events (HTML Living Standard §9.2.6).
type reader struct{ r *bufio.Reader }

func newReader(r io.Reader) *reader { return &reader{bufio.NewReaderSize(r, 32<<10)} }

// next returns the next event that has data.
func (r *reader) next() (name string, data []byte, err error) {
	lines := 0
	for {
		line, err := r.line(MaxMessage - len(data))
		if err != nil {
			return "", nil, err // an event that was cut off is no event
		}
		if len(line) == 0 {
			if lines > 0 {
				return name, data, nil
			}
			name = ""
			continue
		}
		field, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimPrefix(value, []byte(" "))
		switch string(field) {
		case "event":
			name = string(value)
		case "data":
			if lines++; lines > 1 {
				data = append(data, '\n')
			}
			data = append(data, value...)
		}
	}
}

// line returns a line without its end. It is valid until the next call.
func (r *reader) line(limit int) ([]byte, error) {
	part, err := r.r.ReadSlice('\n')
	if err == nil {
		return bytes.TrimRight(part, "\r\n"), nil
	}
	line := bytes.Clone(part)
	for errors.Is(err, bufio.ErrBufferFull) {
		if len(line) > limit {
			return nil, fmt.Errorf("an event has more than %d bytes", MaxMessage)
		}
		part, err = r.r.ReadSlice('\n')
		line = append(line, part...)
	}
	return bytes.TrimRight(line, "\r\n"), err
}

// event writes a message as an event.
func event(text []byte) []byte {
	var b bytes.Buffer
	b.Grow(len(text) + 32)
	b.WriteString("event: message\n")
	for line := range bytes.Lines(text) {
		b.WriteString("data: ")
		b.Write(bytes.TrimRight(line, "\r\n"))
		b.WriteByte('\n')
	}
	b.WriteByte('\n')
	return b.Bytes()
}
