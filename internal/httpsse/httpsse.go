// Package httpsse is a client of the HTTP+SSE transport of MCP's protocol version
// 2024-11-05, for callers that use Streamable HTTP. It must not know what messages mean,
// beyond which response belongs to which request.
//
// A [Transport] is an http.RoundTripper. A session of Streamable HTTP is one event stream
// of the server, which names an endpoint to which each message is posted. When the stream
// ends, the session is unknown (404), so that callers start a new one.
//
// # Security
//
// The endpoint must have the server's origin. Messages are bounded, and so is the memory of
// all sessions together.
package httpsse

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/mcp-login/mcp-login/internal/buffer"
	"github.com/mcp-login/mcp-login/internal/eventstream"
	"github.com/mcp-login/mcp-login/internal/mcpwire"
)

// Mode says which transport a server supports.
type Mode string

// The modes.
const (
	Auto Mode = "auto" // Streamable HTTP, else what the specification's fallback finds
	HTTP Mode = "http" // Streamable HTTP
	SSE  Mode = "sse"  // HTTP+SSE of 2024-11-05
)

// ParseMode parses a mode.
func ParseMode(text string) (Mode, error) {
	if m := Mode(text); slices.Contains([]Mode{Auto, HTTP, SSE}, m) {
		return m, nil
	}
	return "", fmt.Errorf("%q: use auto, http or sse", text)
}

const (
	// endpointTimeout limits the wait for the endpoint of a stream.
	endpointTimeout = 10 * time.Second
	// maxSessions is the maximum number of open streams. A new one closes the oldest.
	maxSessions = 64
	// MaxMessage is the maximum size of a message, in bytes.
	MaxMessage = 64 << 20
)

// ErrEndpoint means that the server's stream names no endpoint of the server's origin.
var ErrEndpoint = errors.New("the server's event stream has no usable endpoint")

// Transport is safe for concurrent use. Its zero value with Base and Server is
// ready.
type Transport struct {
	Base   http.RoundTripper // required
	Server string            // the MCP server's URL; requests to others go to Base; required
	Mode   Mode              // "": Auto

	mu       sync.Mutex     // guards the fields below
	known    Mode           // what an Auto server supports; "" while not known
	sessions []*session     // the oldest first
	budget   *buffer.Budget // for what the server sends; nil before the first session
}

// RoundTrip implements http.RoundTripper.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	mode := t.mode()
	if mode == HTTP || req.URL.String() != t.Server {
		return t.Base.RoundTrip(req)
	}
	if s := t.session(req.Header.Get(mcpwire.HeaderSession)); s != nil {
		return s.serve(req)
	}
	if mode == SSE {
		return t.startSession(req)
	}
	return t.tryStreamable(req)
}

func (t *Transport) mode() Mode {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.known != "":
		return t.known
	case t.Mode == "":
		return Auto
	}
	return t.Mode
}

// Speaks returns the transport that the server uses: Auto while that is not known.
func (t *Transport) Speaks() Mode { return t.mode() }

func (t *Transport) noteMode(m Mode) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.known = m
}

// tryStreamable tries Streamable HTTP, and falls back if the server rejects initialize
// (https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#backwards-compatibility).
func (t *Transport) tryStreamable(req *http.Request) (*http.Response, error) {
	body, err := readBody(req)
	if err != nil {
		return nil, err
	}
	msgs := parseMessages(body)
	resp, err := t.Base.RoundTrip(withBody(req, body))
	if err != nil || req.Method != http.MethodPost {
		return resp, err
	}
	switch code := resp.StatusCode; {
	case code >= 200 && code < 300:
		t.noteMode(HTTP)
		return resp, nil
	case !msgs.isInitialize(), code < 400, code >= 500, code == http.StatusUnauthorized, code == http.StatusForbidden, code == http.StatusTooManyRequests:
		return resp, nil
	}
	s, refused, err := t.open(req)
	if refused != nil {
		refused.Body.Close()
	}
	if s == nil || err != nil {
		return resp, nil // the server does not support HTTP+SSE either
	}
	resp.Body.Close()
	t.noteMode(SSE)
	return s.postInitialize(req, body, msgs)
}

// startSession starts a session of HTTP+SSE. A message that belongs to none gets the
// response of a server that does not know it.
func (t *Transport) startSession(req *http.Request) (*http.Response, error) {
	body, err := readBody(req)
	if err != nil {
		return nil, err
	}
	msgs := parseMessages(body)
	switch {
	case req.Header.Get(mcpwire.HeaderSession) != "":
		return mcpwire.Respond(req, http.StatusNotFound, nil), nil
	case req.Method != http.MethodPost:
		return mcpwire.Respond(req, http.StatusMethodNotAllowed, nil), nil
	case !msgs.isInitialize():
		return mcpwire.Respond(req, http.StatusOK, msgs.methodNotFound()), nil
	}
	s, refused, err := t.open(req)
	if s == nil {
		return refused, err
	}
	return s.postInitialize(req, body, msgs)
}

// open opens the server's event stream and waits for its endpoint. Instead of a session, it
// may return the server's response.
func (t *Transport) open(req *http.Request) (*session, *http.Response, error) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(req.Context()))
	stopWaiting := context.AfterFunc(req.Context(), cancel)
	timer := time.AfterFunc(endpointTimeout, cancel)
	get, err := http.NewRequestWithContext(ctx, http.MethodGet, t.Server, nil)
	if err != nil {
		cancel()
		return nil, nil, err
	}
	get.Header = streamHeader(req.Header)
	resp, err := t.Base.RoundTrip(get)
	if err != nil {
		cancel()
		return nil, nil, err
	}
	if resp.StatusCode != http.StatusOK || mcpwire.MediaType(resp) != mcpwire.TypeEvents {
		resp.Body = &cancelOnClose{resp.Body, cancel}
		return nil, resp, nil
	}
	s := &session{t: t, id: rand.Text(), cancel: cancel, body: resp.Body, event: t.newEvent(ctx), pending: map[string]*stream{}}
	s.events = eventstream.NewReader(resp.Body, MaxMessage, s.event, &eventstream.Cursor{})
	s.serverMessages = s.newStream()
	s.endpoint, err = s.readEndpoint(t.Server)
	if !stopWaiting() || !timer.Stop() || err != nil {
		s.close()
		return nil, nil, errors.Join(ErrEndpoint, err, req.Context().Err())
	}
	t.add(s)
	go s.readEvents()
	return s, nil, nil
}

// streamHeader returns the header of the request for the stream: the caller's, without what
// describes a message.
func streamHeader(h http.Header) http.Header {
	h = h.Clone()
	for _, name := range []string{"Content-Type", "Content-Length", mcpwire.HeaderSession, mcpwire.HeaderVersion} {
		h.Del(name)
	}
	h.Set("Accept", mcpwire.TypeEvents)
	return h
}

func (t *Transport) session(id string) *session {
	t.mu.Lock()
	defer t.mu.Unlock()
	i := slices.IndexFunc(t.sessions, func(s *session) bool { return s.id == id })
	if id == "" || i < 0 {
		return nil
	}
	return t.sessions[i]
}

func (t *Transport) add(s *session) {
	t.mu.Lock()
	t.sessions = append(t.sessions, s)
	var oldest *session
	if len(t.sessions) > maxSessions {
		oldest = t.sessions[0]
	}
	t.mu.Unlock()
	if oldest != nil {
		oldest.close()
	}
}

func (t *Transport) remove(s *session) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sessions = slices.DeleteFunc(t.sessions, func(other *session) bool { return other == s })
}

func readBody(req *http.Request) ([]byte, error) {
	if req.Body == nil {
		return nil, nil
	}
	defer req.Body.Close()
	body, err := io.ReadAll(io.LimitReader(req.Body, MaxMessage+1))
	if err == nil && len(body) > MaxMessage {
		err = fmt.Errorf("the message is larger than %d bytes", MaxMessage)
	}
	return body, err
}

// withBody returns a copy of a request whose body was read.
func withBody(req *http.Request, body []byte) *http.Request {
	copy := req.Clone(req.Context())
	if req.Body == nil {
		return copy
	}
	copy.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	copy.Body, _ = copy.GetBody()
	copy.ContentLength = int64(len(body))
	return copy
}

// cancelOnClose is a body that cancels its request when it is closed.
type cancelOnClose struct {
	io.ReadCloser
	cancel context.CancelFunc
}

// Close implements io.Closer.
func (c *cancelOnClose) Close() error {
	defer c.cancel()
	return c.ReadCloser.Close()
}
