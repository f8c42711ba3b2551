package proxy

import (
	"bufio"
	"bytes"
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

// events reads a stream of events and hands on the data of those that are
// messages, until one is the last, or the stream ends (HTML Living Standard
// §9.2.6).
func events(body io.Reader, limit int, at *cursor, each func(data []byte) (last bool, err error)) (last bool, err error) {
	r := bufio.NewReaderSize(body, 32<<10)
	var e event
	for {
		line, err := readLine(r, limit, io.Discard)
		if err != nil {
			return false, err // an event that was cut off is no event
		}
		line = bytes.TrimRight(line, "\r\n")
		if len(line) > 0 {
			e.field(line, at)
			if len(e.data) > limit {
				return false, fmt.Errorf("%w: the limit is %d bytes", errTooLong, limit)
			}
			continue
		}
		if len(e.data) > 0 && (e.name == "" || e.name == "message") {
			if last, err := each(e.data); last || err != nil {
				return last, err
			}
		}
		e = event{}
	}
}

// event is one event of a stream.
type event struct {
	name string // "": message
	data []byte
}

// field takes one line of an event.
func (e *event) field(line []byte, at *cursor) {
	name, value, _ := bytes.Cut(line, []byte(":"))
	value = bytes.TrimPrefix(value, []byte(" "))
	switch string(name) {
	case "data":
		if e.data == nil {
			e.data = value // the line is nobody else's
		} else {
			e.data = append(append(e.data, '\n'), value...)
		}
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
}
