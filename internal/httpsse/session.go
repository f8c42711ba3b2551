package httpsse

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"

	"github.com/mcp-login/mcp-login/internal/eventstream"
	"github.com/mcp-login/mcp-login/internal/netcheck"
)

const (
	// maxWaiting is how much a session keeps that nobody has read yet, in bytes. Its
	// stream is not read on until then.
	maxWaiting = 16 << 20
	// maxUnheard is how much of that is kept of messages that answer no request,
	// while nobody listens for them. The oldest are dropped.
	maxUnheard = 1 << 20
)

// session is one event stream of a server.
type session struct {
	t        *Transport
	id       string
	endpoint string
	cancel   context.CancelFunc // ends the stream
	body     io.Closer
	data     eventstream.Buffer // of the event that was read last
	events   *eventstream.Reader

	mu      sync.Mutex // guards what follows, and the streams
	changed sync.Cond
	waiting int                // bytes in all streams
	pending map[string]*stream // by the id of the request that is to be answered
	own     *stream            // what the server says unasked
	heard   bool               // somebody reads own
	over    bool
}

// readEndpoint returns the URL to which messages are posted. It is the first
// event.
func (s *session) readEndpoint(server string) (string, error) {
	name, err := s.events.Next()
	if err != nil {
		return "", err
	}
	if name != "endpoint" {
		return "", fmt.Errorf("its first event is %q", name)
	}
	base, err := url.Parse(server)
	if err != nil {
		return "", err
	}
	u, err := base.Parse(string(bytes.TrimSpace(s.data.Bytes)))
	if err != nil {
		return "", errors.New("it is not a URL")
	}
	if !netcheck.SameOrigin(u, base) || u.User != nil {
		return "", fmt.Errorf("it is on another origin, %s", u.Host)
	}
	u.Fragment = ""
	return u.String(), nil
}

// serve takes a request of the session.
func (s *session) serve(req *http.Request) (*http.Response, error) {
	switch req.Method {
	case http.MethodPost:
		body, err := readBody(req)
		if err != nil {
			return nil, err
		}
		return s.post(req, body, parse(body))
	case http.MethodGet:
		return s.listen(req), nil
	case http.MethodDelete:
		s.end()
		return answer(req, http.StatusOK, "", nil), nil
	}
	return answer(req, http.StatusMethodNotAllowed, "", nil), nil
}

// first posts the message that begins the session, which ends if that is refused.
func (s *session) first(req *http.Request, body []byte, sent heads) (*http.Response, error) {
	resp, err := s.post(req, body, sent)
	if err != nil || resp.StatusCode != http.StatusOK {
		s.end()
	}
	return resp, err
}

// post sends messages and returns a stream of the answers to those that are
// requests.
func (s *session) post(req *http.Request, body []byte, sent heads) (*http.Response, error) {
	answers := s.expect(sent.requests())
	if answers == nil {
		return answer(req, http.StatusNotFound, "", nil), nil
	}
	out := withBody(req, body)
	var err error
	if out.URL, err = url.Parse(s.endpoint); err != nil {
		return nil, err
	}
	out.Host = ""
	out.Header.Del(headerSession)
	out.Header.Del(headerVersion)
	resp, err := s.t.Base.RoundTrip(out)
	if err != nil || resp.StatusCode < 200 || resp.StatusCode >= 300 {
		s.finish(answers, nil) // its requests were not taken
		return resp, err
	}
	resp.Body.Close()
	if len(sent.requests()) == 0 {
		return answer(req, http.StatusAccepted, "", nil), nil
	}
	answers.stop = context.AfterFunc(req.Context(), func() { s.finish(answers, req.Context().Err()) })
	return s.respond(req, answers), nil
}

// respond is an answer whose body is a stream.
func (s *session) respond(req *http.Request, from *stream) *http.Response {
	resp := answer(req, http.StatusOK, typeEvents, nil)
	resp.Header.Set(headerSession, s.id)
	resp.Body, resp.ContentLength = from, -1
	return resp
}

// listen is a stream of what the server says unasked. There is one at a time.
func (s *session) listen(req *http.Request) *http.Response {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.over:
		return answer(req, http.StatusNotFound, "", nil)
	case s.heard:
		return answer(req, http.StatusConflict, "", nil)
	}
	s.heard = true
	listener := &listener{stream: s.own}
	listener.stop = context.AfterFunc(req.Context(), func() { _ = listener.Close() })
	resp := s.respond(req, s.own)
	resp.Body = listener
	return resp
}

// expect makes a stream for the answers to requests; nil if the session is over.
func (s *session) expect(ids []string) *stream {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		return nil
	}
	answers := s.newStream()
	answers.ids = len(ids)
	for _, id := range ids {
		s.pending[id] = answers
	}
	return answers
}

// read passes on what the server sends, until the stream ends.
func (s *session) read() {
	defer s.end()
	for {
		name, err := s.events.Next()
		if err != nil {
			return
		}
		if name != "" && name != "message" {
			continue
		}
		for _, m := range parse(s.data.Bytes) {
			s.route(m)
		}
	}
}

// route hands a message to the one that waits for it.
func (s *session) route(m head) {
	s.mu.Lock()
	defer s.mu.Unlock()
	to := s.unasked()
	if m.isResponse() {
		id := string(bytes.TrimSpace(m.ID))
		if to = s.pending[id]; to == nil {
			return // nobody waits any more
		}
		delete(s.pending, id)
		to.ids--
	}
	for s.waiting > maxWaiting && !to.over && !s.over {
		s.changed.Wait()
	}
	if to == s.own && !s.heard {
		for to.size > maxUnheard && len(to.parts) > 0 {
			to.drop()
		}
	}
	if to.over {
		return
	}
	to.add(eventstream.Message(m.text))
	if to != s.own && to.ids == 0 {
		to.over = true // its reader takes what is left
	}
	s.changed.Broadcast()
}

// unasked is the stream for what answers no request: while nobody listens for that, the
// one of a request that waits, so that a server that asks its client before it answers
// gets to hear from it. The caller holds s.mu.
func (s *session) unasked() *stream {
	if !s.heard {
		for _, waiting := range s.pending {
			return waiting
		}
	}
	return s.own
}

// finish ends a stream; what is left of it is lost if there is an error.
func (s *session) finish(of *stream, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, other := range s.pending {
		if other == of {
			delete(s.pending, id)
		}
	}
	of.over = true
	if err != nil || of.err == nil {
		of.err = err
	}
	s.changed.Broadcast()
}

// end ends the session. Requests under way get no answer.
func (s *session) end() {
	s.cancel()
	_ = s.body.Close() // nothing more is read
	s.t.remove(s)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.over, s.own.over = true, true
	for id, p := range s.pending {
		p.over = true
		if p.err == nil {
			p.err = io.ErrUnexpectedEOF
		}
		delete(s.pending, id)
	}
	s.changed.Broadcast()
}
