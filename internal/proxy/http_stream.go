package proxy

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/mcp-login/mcp-login/internal/eventstream"
	"github.com/mcp-login/mcp-login/internal/mcpwire"
)

// stream is an answer of this program over HTTP: one JSON text or, as soon as there is
// more to say, a stream of events.
type stream struct {
	req     *http.Request
	outcome chan outcome // has room for the one
	body    *io.PipeReader
	out     *io.PipeWriter

	mu     sync.Mutex // guards what follows
	begun  bool       // it is a stream of events
	ended  bool
	within bool     // the server's stream is in the middle of an event
	queue  [][]byte // events for after it
}

func newStream(req *http.Request) *stream {
	s := &stream{req: req, outcome: make(chan outcome, 1)}
	s.body, s.out = io.Pipe()
	context.AfterFunc(req.Context(), func() { s.body.CloseWithError(req.Context().Err()) })
	return s
}

// response waits for what the answer is.
func (s *stream) response() (*http.Response, error) {
	select {
	case o := <-s.outcome:
		return o.resp, o.err
	case <-s.req.Context().Done():
		return nil, s.req.Context().Err()
	}
}

// outlet is where a call's messages go.
func (s *stream) outlet() outlet { return outlet{s.event, s.answer} }

// begin makes the answer a stream of events, and reports whether it is one.
func (s *stream) begin() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.open()
}

// open is begin for those who hold the lock.
func (s *stream) open() bool {
	if s.ended || !strings.Contains(strings.Join(s.req.Header.Values("Accept"), ","), mcpwire.TypeEvents) {
		return false
	}
	if !s.begun {
		s.begun = true
		resp := made(s.req, http.StatusOK, mcpwire.TypeEvents, s.body)
		resp.Header.Set("Cache-Control", "no-store")
		s.outcome <- outcome{resp: resp}
	}
	return true
}

// event sends a message that is no answer, and reports whether the client takes any.
func (s *stream) event(text []byte) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.open() {
		return false
	}
	if s.within {
		s.queue = append(s.queue, framed(text))
		return true
	}
	_, err := s.out.Write(framed(text))
	return err == nil
}

// answer sends the answer, and nothing after it.
func (s *stream) answer(text []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return
	}
	s.ended = true
	if !s.begun {
		s.outcome <- outcome{resp: whole(s.req, text)}
		return
	}
	_, _ = s.out.Write(framed(text)) // a client that is gone needs none
	s.out.Close()
}

// forward sends the server's answer.
func (s *stream) forward(resp *http.Response, err error, explain func(error) []byte) {
	s.mu.Lock()
	asIs := !s.begun && !s.ended
	s.ended = s.ended || asIs
	s.mu.Unlock()
	if asIs {
		s.outcome <- outcome{resp, err}
		return
	}
	if err != nil {
		s.answer(explain(err))
		return
	}
	defer resp.Body.Close()
	if mcpwire.MediaType(resp) == mcpwire.TypeEvents {
		s.copy(resp.Body)
		return
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, defaultMaxMessage))
	if err != nil {
		body = explain(err)
	}
	s.answer(body)
}

// end ends the stream.
func (s *stream) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ended && !s.begun {
		s.outcome <- outcome{err: errors.New("the client is gone")}
	}
	s.ended = true
	s.out.Close()
}

// copy passes on a stream of the server. What else there is to say goes between its
// events.
func (s *stream) copy(body io.Reader) {
	r := bufio.NewReaderSize(body, 32<<10)
	for whole := true; ; {
		part, err := r.ReadSlice('\n')
		if len(part) > 0 {
			s.enter()
			if _, err := s.out.Write(part); err != nil {
				return
			}
		}
		if whole && len(bytes.TrimRight(part, "\r\n")) == 0 && len(part) > 0 {
			s.leave()
		}
		whole = err == nil
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return
		}
	}
}

// enter begins an event of the server.
func (s *stream) enter() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.within = true
}

// leave ends an event of the server.
func (s *stream) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.within = false
	for _, event := range s.queue {
		if _, err := s.out.Write(event); err != nil {
			break
		}
	}
	s.queue = nil
}

// framed returns a message as an event.
func framed(text []byte) []byte { return eventstream.Message(oneLine(bytes.Clone(text))) }

// made returns an answer of this program.
func made(req *http.Request, code int, kind string, body io.ReadCloser) *http.Response {
	return &http.Response{
		Status: http.StatusText(code), StatusCode: code, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {kind}}, Body: body, ContentLength: -1, Request: req,
	}
}

// whole returns an answer that is one message.
func whole(req *http.Request, text []byte) *http.Response {
	resp := made(req, http.StatusOK, mcpwire.TypeJSON, io.NopCloser(bytes.NewReader(text)))
	resp.ContentLength = int64(len(text))
	return resp
}

// empty returns an answer without a body.
func empty(req *http.Request, code int) *http.Response {
	resp := made(req, code, "", http.NoBody)
	resp.Header.Del("Content-Type")
	resp.ContentLength = 0
	return resp
}

// closing is a body with something else to do at its end.
type closing struct {
	io.ReadCloser
	then func()
}

// Close implements io.Closer.
func (c closing) Close() error {
	defer c.then()
	return c.ReadCloser.Close()
}

// noted is a body that is kept while it is read, up to a limit.
type noted struct {
	io.ReadCloser
	limit int
	keep  func(text []byte) (changed bool) // called once; nil: the text is too long

	text    []byte
	over    bool // it is too long
	kept    bool
	changed bool
}

// Read implements io.Reader.
func (n *noted) Read(p []byte) (int, error) {
	read, err := n.ReadCloser.Read(p)
	if n.over = n.over || len(n.text)+read > n.limit; n.over {
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
func (n *noted) Close() error {
	n.finish()
	return n.ReadCloser.Close()
}

func (n *noted) finish() {
	if !n.kept {
		n.kept, n.changed = true, n.keep(n.text)
	}
}
