package proxy

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"
	"unicode"
)

// maxEventID is how long an event's id may be for its stream to be taken up
// again: a header carries it back.
const maxEventID = 4 << 10

// errTooLong is a message beyond the limit.
var errTooLong = errors.New("the message is too long")

// readLine returns the next line with its end. One longer than limit goes to
// long instead, and is errTooLong. At the end of r it returns what is left, and
// io.EOF.
func readLine(r *bufio.Reader, limit int, long io.Writer) ([]byte, error) {
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		if len(line)+len(part) > limit {
			return nil, skip(r, limit, long, line, part, err)
		}
		line = append(line, part...)
		if !errors.Is(err, bufio.ErrBufferFull) {
			return line, err
		}
	}
}

// skip reads a line that is too long to its end.
func skip(r *bufio.Reader, limit int, long io.Writer, line, part []byte, err error) error {
	if _, err := long.Write(line); err != nil {
		return err
	}
	for {
		if _, err := long.Write(part); err != nil {
			return err
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			break
		}
		part, err = r.ReadSlice('\n')
	}
	if err == nil || errors.Is(err, io.EOF) { // the end comes again
		err = fmt.Errorf("%w: the limit is %d bytes", errTooLong, limit)
	}
	return err
}

// cursor is how far a stream was read, to go on from there.
type cursor struct {
	id    string        // of the last event; "": the stream cannot be resumed
	retry time.Duration // the wait that the server asks for; 0: none
}

// events reads a stream of events and passes on the data of those that are
// messages, until one is the last, or the stream ends (HTML Living Standard
// §9.2.6). The data is e's until each returns.
func events(ctx context.Context, body io.Reader, e *event, at *cursor, each func(data []byte) (last bool, err error)) (last bool, err error) {
	r := bufio.NewReaderSize(body, 32<<10)
	defer e.reset()
	for {
		empty, err := e.line(ctx, r, at)
		if err != nil {
			return false, err // an event that was cut off is no event
		}
		if !empty {
			continue
		}
		if len(e.data.bytes) > 0 && (e.name == "" || e.name == "message") {
			if last, err := each(e.data.bytes); last || err != nil {
				return last, err
			}
		}
		e.reset()
	}
}

// event is one event of a stream.
type event struct {
	name  string // "": message
	data  text
	lines int // of data
}

func (e *event) reset() {
	e.name, e.lines = "", 0
	e.data.reset()
}

// line reads one line, and reports whether it is empty. Of a long one only data
// is kept.
func (e *event) line(ctx context.Context, r *bufio.Reader, at *cursor) (empty bool, err error) {
	part, err := r.ReadSlice('\n')
	if err == nil {
		part = bytes.TrimRight(part, "\r\n")
		return len(part) == 0, e.field(ctx, part, at)
	}
	begin := dataOf(part)
	if !errors.Is(err, bufio.ErrBufferFull) {
		return false, err
	}
	isData := begin != nil
	if isData {
		if err := e.beginData(ctx, begin); err != nil {
			return false, err
		}
	}
	for length := len(part); errors.Is(err, bufio.ErrBufferFull); length += len(part) {
		if length > e.data.limit {
			return false, fmt.Errorf("%w: the limit is %d bytes", errTooLong, e.data.limit)
		}
		part, err = r.ReadSlice('\n')
		if !isData {
			continue
		}
		if err := e.data.add(ctx, part); err != nil {
			return false, err
		}
	}
	e.data.bytes = bytes.TrimRight(e.data.bytes, "\r\n")
	return false, err
}

// field takes one line of an event.
func (e *event) field(ctx context.Context, line []byte, at *cursor) error {
	name, value, _ := bytes.Cut(line, []byte(":"))
	value = bytes.TrimPrefix(value, []byte(" "))
	switch string(name) {
	case "data":
		return e.beginData(ctx, value)
	case "event":
		e.name = string(value)
	case "id":
		at.id = ""
		if len(value) <= maxEventID && !bytes.ContainsFunc(value, unicode.IsControl) {
			at.id = string(value)
		}
	case "retry":
		if ms, err := strconv.ParseUint(string(value), 10, 31); err == nil {
			at.retry = time.Duration(ms) * time.Millisecond
		}
	}
	return nil
}

// dataOf returns the value of a line of data; nil if it is another line.
func dataOf(line []byte) []byte {
	value, found := bytes.CutPrefix(line, []byte("data:"))
	if !found {
		return nil
	}
	return bytes.TrimPrefix(value, []byte(" "))
}

// beginData adds one line to the data, or the beginning of one.
func (e *event) beginData(ctx context.Context, value []byte) error {
	e.lines++
	if e.lines > 1 {
		if err := e.data.add(ctx, []byte("\n")); err != nil {
			return err
		}
	}
	return e.data.add(ctx, value)
}
