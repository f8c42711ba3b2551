package httpsse

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"

	"github.com/mcp-login/mcp-login/internal/eventstream"
	"github.com/mcp-login/mcp-login/internal/mcpwire"
	"github.com/mcp-login/mcp-login/internal/netcheck"
)

const (
	// maxBuffered is how many unread bytes a session keeps. Its stream is not read beyond
	// that.
	maxBuffered = 4 << 20
	// maxUnread is how many of those bytes may belong to messages that are not responses,
	// while nobody listens for them. The oldest are dropped.
	maxUnread = 1 << 20
	// maxCompared is how long an id may be that is compared with all requests.
	maxCompared = 256
)

// session is one event stream of a server.
type session struct {
	t        *Transport
	id       string
	endpoint string
	cancel   context.CancelFunc // ends the stream
	body     io.Closer
	event    *event // the last one
	events   *eventstream.Reader

	mu             sync.Mutex // guards the fields below, and the streams
	changed        sync.Cond
	buffered       int                // bytes in all streams
	pending        map[string]*stream // by the id of the request
	serverMessages *stream            // requests and notifications of the server
	hasListener    bool               // serverMessages has a reader
	closed         bool
}

// readEndpoint returns the URL to which messages are posted. The first event names it.
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
	address, err := s.event.text()
	if err != nil {
		return "", err
	}
	u, err := base.Parse(string(bytes.TrimSpace(address)))
	if err != nil {
		return "", errors.New("it is not a URL")
	}
	if !netcheck.SameOrigin(u, base) || u.User != nil {
		return "", fmt.Errorf("it is on another origin, %s", u.Host)
	}
	u.Fragment = ""
	return u.String(), nil
}

// serve handles a request of the session.
func (s *session) serve(req *http.Request) (*http.Response, error) {
	switch req.Method {
	case http.MethodPost:
		body, err := readBody(req)
		if err != nil {
			return nil, err
		}
		return s.post(req, body, parseMessages(body))
	case http.MethodGet:
		return s.listen(req), nil
	case http.MethodDelete:
		s.close()
		return mcpwire.Respond(req, http.StatusOK, nil), nil
	}
	return mcpwire.Respond(req, http.StatusMethodNotAllowed, nil), nil
}

// postInitialize posts the message that starts the session, and closes the session if that
// fails.
func (s *session) postInitialize(req *http.Request, body []byte, msgs messages) (*http.Response, error) {
	resp, err := s.post(req, body, msgs)
	if err != nil || resp.StatusCode != http.StatusOK {
		s.close()
	}
	return resp, err
}

// post posts messages and returns a stream of the responses to those that are requests.
func (s *session) post(req *http.Request, body []byte, msgs messages) (*http.Response, error) {
	answers := s.registerRequests(msgs.requestIDs())
	if answers == nil {
		return mcpwire.Respond(req, http.StatusNotFound, nil), nil
	}
	out := withBody(req, body)
	var err error
	if out.URL, err = url.Parse(s.endpoint); err != nil {
		return nil, err
	}
	out.Host = ""
	out.Header.Del(mcpwire.HeaderSession)
	out.Header.Del(mcpwire.HeaderVersion)
	resp, err := s.t.Base.RoundTrip(out)
	if err != nil || resp.StatusCode < 200 || resp.StatusCode >= 300 {
		s.closeStream(answers, nil) // the requests were rejected
		return resp, err
	}
	resp.Body.Close()
	if len(msgs.requestIDs()) == 0 {
		return mcpwire.Respond(req, http.StatusAccepted, nil), nil
	}
	answers.stop = context.AfterFunc(req.Context(), func() { s.closeStream(answers, req.Context().Err()) })
	return s.respond(req, answers), nil
}

// respond returns a response whose body is a stream.
func (s *session) respond(req *http.Request, from *stream) *http.Response {
	resp := mcpwire.Stream(req, http.StatusOK, mcpwire.TypeEvents, from)
	resp.Header.Set(mcpwire.HeaderSession, s.id)
	return resp
}

// listen returns a stream of the server's own messages. There is one at a time.
func (s *session) listen(req *http.Request) *http.Response {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return mcpwire.Respond(req, http.StatusNotFound, nil)
	case s.hasListener:
		return mcpwire.Respond(req, http.StatusConflict, nil)
	}
	s.hasListener = true
	listener := &listener{stream: s.serverMessages}
	listener.stop = context.AfterFunc(req.Context(), func() { _ = listener.Close() })
	resp := s.respond(req, s.serverMessages)
	resp.Body = listener
	return resp
}

// registerRequests makes a stream for the responses to requests; nil if the session is
// closed.
func (s *session) registerRequests(ids []string) *stream {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	answers := s.newStream()
	answers.unanswered = len(ids)
	for _, id := range ids {
		s.pending[id] = answers
	}
	return answers
}

// readEvents routes what the server sends until the stream ends.
func (s *session) readEvents() {
	defer s.close()
	for {
		name, err := s.events.Next()
		if err != nil {
			return
		}
		if name != "" && name != "message" {
			continue
		}
		all, err := s.event.messages()
		if err != nil {
			return
		}
		for _, m := range all {
			s.route(m)
		}
	}
}

// route adds a message to the stream that waits for it.
func (s *session) route(m message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	to := s.unprompted()
	if m.isResponse() {
		id := s.requestID(m.ID)
		if to = s.pending[id]; to == nil {
			return // nobody waits for it any longer
		}
		delete(s.pending, id)
		to.unanswered--
	}
	for s.buffered > maxBuffered && !to.closed && !s.closed {
		s.changed.Wait()
	}
	if to == s.serverMessages && !s.hasListener {
		for to.size > maxUnread && len(to.parts) > 0 {
			to.dropOldest()
		}
	}
	if to.closed {
		return
	}
	to.add(s.event.part(m))
	if to != s.serverMessages && to.unanswered == 0 {
		to.closed = true // its reader reads what is left
	}
	s.changed.Broadcast()
}

// requestID returns the id of a response as its request has it. The caller holds s.mu.
func (s *session) requestID(response json.RawMessage) string {
	id := string(bytes.TrimSpace(response))
	if s.pending[id] != nil || len(id) > maxCompared {
		return id
	}
	for other := range s.pending {
		if mcpwire.SameID(response, json.RawMessage(other)) {
			return other // the server writes it in another way, such as 7.0 for 7
		}
	}
	return id
}

// unprompted returns the stream for messages that are not responses. While the client does
// not listen for them, it is the stream of a pending request, because a server may ask its
// client something before it responds. The caller holds s.mu.
func (s *session) unprompted() *stream {
	if !s.hasListener {
		for _, waiting := range s.pending {
			return waiting
		}
	}
	return s.serverMessages
}

// closeStream closes a stream. With an error, unread parts are lost.
func (s *session) closeStream(of *stream, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, other := range s.pending {
		if other == of {
			delete(s.pending, id)
		}
	}
	of.closed = true
	if err != nil || of.err == nil {
		of.err = err
	}
	s.changed.Broadcast()
}

// close closes the session. Requests in flight get no response.
func (s *session) close() {
	s.cancel()
	_ = s.body.Close() // nothing more is read
	s.t.remove(s)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed, s.serverMessages.closed = true, true
	for id, p := range s.pending {
		p.closed = true
		if p.err == nil {
			p.err = io.ErrUnexpectedEOF
		}
		delete(s.pending, id)
	}
	s.changed.Broadcast()
}
