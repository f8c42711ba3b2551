package proxy

import (
	"bufio"
	"context"
	"errors"
	"io"

	"github.com/mcp-login/mcp-login/internal/buffer"
	"github.com/mcp-login/mcp-login/internal/eventstream"
)

// readLine returns the next line with its end. A line longer than limit is written to rest
// instead and is buffer.ErrTooLong. At the end of r it returns what is left, and
// io.EOF.
func readLine(r *bufio.Reader, limit int, rest io.Writer) ([]byte, error) {
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		if len(line)+len(part) > limit {
			return nil, skip(r, limit, rest, line, part, err)
		}
		line = append(line, part...)
		if !errors.Is(err, bufio.ErrBufferFull) {
			return line, err
		}
	}
}

// skip reads the rest of a line that is too long.
func skip(r *bufio.Reader, limit int, rest io.Writer, line, part []byte, err error) error {
	if _, err := rest.Write(line); err != nil {
		return err
	}
	for {
		if _, err := rest.Write(part); err != nil {
			return err
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			break
		}
		part, err = r.ReadSlice('\n')
	}
	if err == nil || errors.Is(err, io.EOF) { // the next read returns io.EOF again
		err = buffer.TooLong(limit)
	}
	return err
}

// readEvents reads a stream of events into buf and calls each for those that are messages,
// until one is the last or the stream ends.
func readEvents(ctx context.Context, body io.Reader, buf *buffer.Buffer, at *eventstream.Cursor, each func() (last bool, err error)) (last bool, err error) {
	data := eventData{ctx, buf}
	defer data.Reset()
	r := eventstream.NewReader(body, buf.Limit(), data, at)
	for {
		name, err := r.Next()
		if err != nil {
			return false, err
		}
		if buf.Len() == 0 || name != "" && name != "message" {
			continue
		}
		if last, err := each(); last || err != nil {
			return last, err
		}
	}
}

// eventData holds the data of an event in a buffer, which may wait for memory until ctx
// ends.
type eventData struct {
	ctx context.Context
	*buffer.Buffer
}

// Add implements eventstream.Data.
func (d eventData) Add(part []byte) error { return d.Buffer.Add(d.ctx, part) }
