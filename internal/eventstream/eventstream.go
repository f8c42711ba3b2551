// Package eventstream reads and writes streams of server-sent events (HTML Living Standard
// §9.2.6), as MCP's HTTP transports use them. The caller decides where the data of an event
// is kept, and how much of it. The package must not know what the messages mean.
package eventstream

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"slices"
	"strconv"
	"time"
	"unicode"

	"github.com/mcp-login/mcp-login/internal/buffer"
)

const (
	lineSize = 32 << 10 // longer lines are read in parts
	// maxID is the maximum length of an event's id for its stream to be resumed, because a
	// header sends it back.
	maxID = 4 << 10
)

// Data receives the data of one event after another.
type Data interface {
	// Add appends a part, which is valid until Add returns. An error ends the read.
	Add(part []byte) error
	// Reset drops the event's data.
	Reset()
}

// Buffer is Data whose bytes stay valid after the next event.
type Buffer struct {
	Limit int // bytes; buffer.ErrTooLong beyond it
	Bytes []byte
}

// Add implements Data.
func (b *Buffer) Add(part []byte) error {
	if len(b.Bytes)+len(part) > b.Limit {
		return buffer.TooLong(b.Limit)
	}
	if len(b.Bytes)+len(part) > cap(b.Bytes) { // append would copy long data many times
		b.Bytes = slices.Grow(b.Bytes, max(len(part), min(len(b.Bytes), b.Limit-len(b.Bytes))))
	}
	b.Bytes = append(b.Bytes, part...)
	return nil
}

// Reset implements Data.
func (b *Buffer) Reset() { b.Bytes = nil }

// Cursor is the position in a stream from which it can be resumed.
type Cursor struct {
	ID    string        // of the last event; "" if the stream cannot be resumed
	Retry time.Duration // the wait that the server asks for; 0 if it asks for none
}

// Reader reads events.
type Reader struct {
	r      *bufio.Reader
	limit  int // of one line
	data   Data
	cursor *Cursor
	name   string
	lines  int // of data
}

// NewReader returns a reader that adds the data of events to data and updates the cursor. A
// line longer than limit is buffer.ErrTooLong.
func NewReader(r io.Reader, limit int, data Data, at *Cursor) *Reader {
	return &Reader{r: bufio.NewReaderSize(Lines(r), lineSize), limit: limit, data: data, cursor: at}
}

// Next reads the next event that has data, which may be empty, and returns its name. An
// incomplete event at the end is dropped.
func (r *Reader) Next() (name string, err error) {
	r.reset()
	for {
		empty, err := r.readLine()
		switch {
		case err != nil:
			return "", err
		case empty && r.lines > 0:
			return r.name, nil
		case empty:
			r.reset()
		}
	}
}

func (r *Reader) reset() {
	r.name, r.lines = "", 0
	r.data.Reset()
}

// readLine reads one line, and reports whether it is empty.
func (r *Reader) readLine() (empty bool, err error) {
	part, err := r.r.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		return false, r.readLongLine(part)
	}
	if err != nil {
		return false, err
	}
	part = part[:len(part)-1]
	return len(part) == 0, r.parseField(part)
}

// readLongLine reads the rest of a long line. It keeps only data.
func (r *Reader) readLongLine(part []byte) error {
	name, value := splitField(part)
	isData := string(name) == "data"
	if isData {
		if err := r.addDataLine(nil); err != nil {
			return err
		}
	}
	for length := 0; ; {
		if length += len(part); length > r.limit {
			return buffer.TooLong(r.limit)
		}
		ends := bytes.HasSuffix(part, []byte("\n"))
		if isData {
			if err := r.data.Add(bytes.TrimSuffix(value, []byte("\n"))); err != nil {
				return err
			}
		}
		if ends {
			return nil
		}
		var err error
		if part, err = r.r.ReadSlice('\n'); err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return err
		}
		value = part
	}
}

// parseField handles one line of an event.
func (r *Reader) parseField(line []byte) error {
	switch name, value := splitField(line); string(name) {
	case "data":
		return r.addDataLine(value)
	case "event":
		r.name = string(value)
	case "id":
		r.cursor.ID = ""
		if len(value) <= maxID && !bytes.ContainsFunc(value, unicode.IsControl) {
			r.cursor.ID = string(value)
		}
	case "retry":
		if ms, err := strconv.ParseUint(string(value), 10, 31); err == nil {
			r.cursor.Retry = time.Duration(ms) * time.Millisecond
		}
	}
	return nil
}

// splitField returns the name and the value of a field.
func splitField(line []byte) (name, value []byte) {
	name, value, _ = bytes.Cut(line, []byte(":"))
	return name, bytes.TrimPrefix(value, []byte(" "))
}

// addDataLine adds one line to the data, or its beginning.
func (r *Reader) addDataLine(value []byte) error {
	if r.lines++; r.lines > 1 {
		if err := r.data.Add([]byte("\n")); err != nil {
			return err
		}
	}
	return r.data.Add(value)
}

// Message returns a message as an event.
func Message(text []byte) []byte {
	if bytes.IndexByte(text, '\r') >= 0 { // also the end of a line
		text = bytes.ReplaceAll(bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n")), []byte("\r"), []byte("\n"))
	}
	var b bytes.Buffer
	b.Grow(len(text) + 32)
	b.WriteString("event: message\n")
	for line := range bytes.Lines(text) {
		b.WriteString("data: ")
		b.Write(bytes.TrimSuffix(line, []byte("\n")))
		b.WriteByte('\n')
	}
	b.WriteByte('\n')
	return b.Bytes()
}
