package proxy

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/mcp-login/mcp-login/internal/buffer"
	"github.com/mcp-login/mcp-login/internal/eventstream"
	"github.com/mcp-login/mcp-login/internal/mcpwire"
)

// stream is a response of this program over HTTP: one JSON text or, as soon as there is
// more to send, a stream of events.
type stream struct {
	req     *http.Request
	outcome chan outcome // has a buffer of one
	body    *io.PipeReader
	out     *io.PipeWriter

	mu       sync.Mutex // guards the fields below
	isStream bool       // it is a stream of events
	closed   bool
	inEvent  bool     // the server's stream is in the middle of an event
	queue    [][]byte // events to send after it
}

func newStream(req *http.Request) *stream {
	s := &stream{req: req, outcome: make(chan outcome, 1)}
	s.body, s.out = io.Pipe()
	context.AfterFunc(req.Context(), func() { s.body.CloseWithError(req.Context().Err()) })
	return s
}

// response waits until the kind of response is known.
func (s *stream) response() (*http.Response, error) {
	select {
	case o := <-s.outcome:
		return o.resp, o.err
	case <-s.req.Context().Done():
		return nil, s.req.Context().Err()
	}
}

// responder returns where the messages of a call go.
func (s *stream) responder() responder { return responder{s.sendEvent, s.respond} }

// start makes the response a stream of events, and reports whether it is one.
func (s *stream) start() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.startLocked()
}

// startLocked is start for callers that hold the lock.
func (s *stream) startLocked() bool {
	if s.closed || !strings.Contains(strings.Join(s.req.Header.Values("Accept"), ","), mcpwire.TypeEvents) {
		return false
	}
	if !s.isStream {
		s.isStream = true
		resp := mcpwire.Stream(s.req, http.StatusOK, mcpwire.TypeEvents, s.body)
		resp.Header.Set("Cache-Control", "no-store")
		s.outcome <- outcome{resp: resp}
	}
	return true
}

// sendEvent sends a message that is not the response, and reports whether the client
// accepts any.
func (s *stream) sendEvent(text []byte) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.startLocked() {
		return false
	}
	if s.inEvent {
		s.queue = append(s.queue, asEvent(text))
		return true
	}
	_, err := s.out.Write(asEvent(text))
	return err == nil
}

// respond sends the JSON-RPC response, and nothing after it.
func (s *stream) respond(text []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	s.closed = true
	if !s.isStream {
		s.outcome <- outcome{resp: mcpwire.Respond(s.req, http.StatusOK, text)}
		return
	}
	_, _ = s.out.Write(asEvent(text)) // the client may be gone
	s.out.Close()
}

// forward sends the server's response.
func (s *stream) forward(resp *http.Response, err error, explain func(error) []byte) {
	s.mu.Lock()
	asIs := !s.isStream && !s.closed
	s.closed = s.closed || asIs
	s.mu.Unlock()
	if asIs {
		s.outcome <- outcome{resp, err}
		return
	}
	if err != nil {
		s.respond(explain(err))
		return
	}
	defer resp.Body.Close()
	if mcpwire.MediaType(resp) == mcpwire.TypeEvents {
		s.copy(resp.Body)
		return
	}
	if err := s.forwardJSON(resp); err != nil {
		s.respond(explain(err))
	}
}

// forwardJSON sends a response of the server that is one JSON text, if it is complete.
func (s *stream) forwardJSON(resp *http.Response) error {
	ctx := s.req.Context()
	buf := buffer.New(buffer.AccountOf(ctx), defaultMaxMessage)
	defer buf.Reset()
	if err := buf.ReadFrom(ctx, resp.Body); err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	if _, err := parseBuffer(ctx, buf); err != nil {
		return fmt.Errorf("the server answers with %s and data that is %w", status(resp), err)
	}
	text, err := buf.Bytes(ctx)
	if err != nil {
		return err
	}
	s.respond(text)
	return nil
}

// close ends the stream.
func (s *stream) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed && !s.isStream {
		s.outcome <- outcome{err: errors.New("the client is gone")}
	}
	s.closed = true
	s.out.Close()
}

// copy forwards a stream of the server. Events of this program are sent between its events.
// If the server's stream breaks, the client's breaks too, because it would look complete
// otherwise.
func (s *stream) copy(body io.Reader) {
	err := s.copyEvents(bufio.NewReaderSize(eventstream.Lines(body), 32<<10))
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case !errors.Is(err, io.EOF):
		s.out.CloseWithError(fmt.Errorf("read the server's stream: %w", err))
	case s.inEvent:
		s.out.CloseWithError(fmt.Errorf("read the server's stream: %w", io.ErrUnexpectedEOF))
	}
}

// copyEvents returns why the stream ended: io.EOF if the server ended it.
func (s *stream) copyEvents(r *bufio.Reader) error {
	for atLineStart := true; ; {
		part, err := r.ReadSlice('\n')
		if len(part) > 0 {
			s.beginEvent()
			if _, err := s.out.Write(part); err != nil {
				return err
			}
		}
		if atLineStart && string(part) == "\n" {
			s.endEvent()
		}
		atLineStart = err == nil
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return err
		}
	}
}

// beginEvent notes that an event of the server has begun.
func (s *stream) beginEvent() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inEvent = true
}

// endEvent notes that an event of the server has ended, and sends the events that waited
// for that.
func (s *stream) endEvent() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inEvent = false
	for _, event := range s.queue {
		if _, err := s.out.Write(event); err != nil {
			break
		}
	}
	s.queue = nil
}

// asEvent returns a message as an event.
func asEvent(text []byte) []byte {
	return eventstream.Message(oneLine(bytes.Clone(bytes.TrimSpace(text))))
}

// closeHook is a body that calls a function when it is closed.
type closeHook struct {
	io.ReadCloser
	onClose func()
}

// Close implements io.Closer.
func (c closeHook) Close() error {
	defer c.onClose()
	return c.ReadCloser.Close()
}

// recorder is a body that is recorded while it is read, up to a limit.
type recorder struct {
	io.ReadCloser
	limit int
	done  func(text []byte) (changed bool) // called once; a nil text was too long

	text     []byte
	tooLong  bool // it is too long
	finished bool
	changed  bool
}

// Read implements io.Reader.
func (n *recorder) Read(p []byte) (int, error) {
	read, err := n.ReadCloser.Read(p)
	if n.tooLong = n.tooLong || len(n.text)+read > n.limit; n.tooLong {
		n.text = nil
	} else {
		n.text = append(n.text, p[:read]...)
	}
	if err != nil {
		n.finish()
	}
	return read, err
}

// Close implements io.Closer.
func (n *recorder) Close() error {
	n.finish()
	return n.ReadCloser.Close()
}

func (n *recorder) finish() {
	if !n.finished {
		n.finished, n.changed = true, n.done(n.text)
	}
}
