package proxy

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mcp-login/mcp-login/internal/mcpwire"
)

// signInTransport reaches the server for the clients of a proxy over HTTP. It answers
// requests that require a sign-in, as [Stdio] does. Other requests are forwarded unchanged,
// unless this proxy started the client's session.
type signInTransport struct {
	Upstream
	base       http.RoundTripper
	lifetime   context.Context // of the proxy
	clients    clients
	work       sync.WaitGroup
	slow       atomic.Bool   // the server was slow to answer the first request
	recordings chan struct{} // one is held for each response that is recorded
}

// maxRecordings limits how many responses are recorded at once: each may be maxListSize
// long.
const maxRecordings = 8

// outcome is the result of a request.
type outcome struct {
	resp *http.Response
	err  error
}

// RoundTrip implements http.RoundTripper.
func (t *signInTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	m := messageOf(req.Context())
	id := req.Header.Get(mcpwire.HeaderSession)
	c := t.clients.find(id)
	switch {
	case c == nil && strings.HasPrefix(id, localPrefix):
		return mcpwire.Respond(req, http.StatusNotFound, nil), nil // it is of another proxy process; the client starts a new one
	case c == nil:
		c = t.sessionlessClient(req, m)
	}
	switch {
	case req.Method == http.MethodGet:
		return t.listen(req, c)
	case req.Method == http.MethodDelete:
		return t.endSession(req, c)
	case m.isResponse() && c.requests.deliver(m), c.initializePending() && m.text != nil && !m.isRequest():
		return mcpwire.Respond(req, http.StatusAccepted, nil), nil
	case m.isRequest() && m.isCacheable():
		return t.answerCacheable(req, c, m)
	case m.Method == methodCallTool && t.SignIn.isTool(m.Params.Name):
		return t.answerLocally(req, c, m, func(s *stream) { c.callSignIn(req.Context(), m, s.responder()) })
	}
	if denial := t.toolDenial(m); denial != nil {
		return mcpwire.Respond(req, http.StatusOK, denial), nil
	}
	return t.answer(req, c, m)
}

// answer forwards a request, and answers it here as far as possible if the user must sign
// in first.
func (t *signInTransport) answer(req *http.Request, c *client, m message) (*http.Response, error) {
	resp, err := t.forward(req, c)
	if !t.SignIn.isRequiredAfter(req.Context(), t.Session, err) {
		return t.record(m, resp), err
	}
	c.watchSignIn()
	switch m.Method {
	case methodCallTool:
		return t.answerLocally(req, c, m, func(s *stream) {
			if c.signInForCall(req.Context(), m, s.responder()) {
				resp, err := t.forward(req, c)
				s.forward(resp, err, func(err error) []byte { return mcpwire.Failure(m.ID, codeUpstream, t.explain(err)) })
			}
		})
	case methodPing:
		return mcpwire.Respond(req, http.StatusOK, reply(m, struct{}{})), nil
	}
	return nil, t.SignIn.requiredError(err)
}

// answerLocally answers a request with what is sent to a stream.
func (t *signInTransport) answerLocally(req *http.Request, c *client, m message, answer func(*stream)) (*http.Response, error) {
	s := newStream(req)
	t.work.Go(func() {
		defer s.close()
		if m.Params.Meta.Version < mcpwire.Stateless {
			defer c.addStream(s, false)()
		}
		answer(s)
	})
	return s.response()
}

// forward sends a request to the server, in the client's session there.
func (t *signInTransport) forward(req *http.Request, c *client) (*http.Response, error) {
	if err := t.ensureSession(req.Context(), c); err != nil {
		return nil, err
	}
	out, err := replayable(req)
	if err != nil {
		return nil, err
	}
	c.setHeaders(out.Header)
	resp, err := t.base.RoundTrip(out)
	if err != nil {
		return nil, err
	}
	if c.isLocalSession() {
		if resp.StatusCode == http.StatusNotFound {
			t.clients.remove(c) // the client will start another session
		}
		if resp.Header.Get(mcpwire.HeaderSession) != "" {
			resp.Header.Set(mcpwire.HeaderSession, c.id)
		}
	}
	return resp, nil
}

// replayable returns a copy of a request that can be sent in addition to the original.
func replayable(req *http.Request) (*http.Request, error) {
	out := req.Clone(req.Context())
	if req.Body != nil && req.GetBody != nil {
		body, err := req.GetBody()
		if err != nil {
			return nil, err
		}
		out.Body = body
	}
	m := messageOf(req.Context())
	if m.isCacheable() || lists[m.Method] != "" {
		out.Header.Del("Accept-Encoding") // the response is read here
	}
	return out, nil
}

// answerCacheable forwards a request whose last response is cached.
func (t *signInTransport) answerCacheable(req *http.Request, c *client, m message) (*http.Response, error) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(req.Context()))
	stop := context.AfterFunc(req.Context(), cancel)
	outcomes := make(chan outcome, 1)
	t.work.Go(func() {
		resp, err := t.forward(req.WithContext(ctx), c)
		outcomes <- outcome{t.record(m, resp), err}
	})
	limit := cacheDelay
	if t.slow.Load() {
		limit = 0
	}
	select {
	case o := <-outcomes:
		if o.err == nil {
			o.resp.Body = closeHook{o.resp.Body, func() { stop(); cancel(); c.noteListed(m) }}
			t.noteSession(m, o.resp)
			return o.resp, nil
		}
		cancel()
		if !t.SignIn.isRequiredAfter(req.Context(), t.Session, o.err) {
			return nil, o.err
		}
		resp, _ := t.answerFromCache(req, c, m, true)
		return resp, nil
	case <-time.After(limit):
		if !stop() {
			cancel()
			return nil, req.Context().Err()
		}
	}
	time.AfterFunc(restartTimeout, cancel)
	resp, known := t.answerFromCache(req, c, m, false)
	t.work.Go(func() {
		defer cancel()
		t.finishLate(ctx, known, m, <-outcomes)
	})
	return resp, nil
}

// answerFromCache answers a request from the cache. For a client that sends initialize it
// starts a session, and returns the client of that session.
func (t *signInTransport) answerFromCache(req *http.Request, c *client, m message, signedOut bool) (*http.Response, *client) {
	resp := mcpwire.Respond(req, http.StatusOK, t.SignIn.cachedResponse(m, t.Server, signedOut))
	if lists[m.Method] == "" {
		t.slow.Store(!signedOut)
	}
	if m.Method == methodInitialize && len(m.text) <= maxInitializeKept {
		c = t.newClient(localPrefix+rand.Text(), m)
		if !signedOut {
			c.connecting.Lock() // until the server has answered
		}
		t.clients.add(c)
		resp.Header.Set(mcpwire.HeaderSession, c.id)
	}
	if signedOut {
		c.watchSignIn()
	}
	return resp, c
}

// finishLate handles the server's response to a request that was answered from the cache.
func (t *signInTransport) finishLate(ctx context.Context, c *client, m message, o outcome) {
	if m.Method == methodInitialize && c.isLocalSession() {
		defer c.connecting.Unlock()
		if o.err == nil {
			o.err = t.finishInitialize(ctx, c, o.resp)
		}
	}
	if m.Method == methodInitialize || m.Method == methodDiscover && o.err == nil {
		t.slow.Store(false)
	}
	if o.err != nil {
		if t.SignIn.isRequiredAfter(ctx, t.Session, o.err) {
			c.watchSignIn()
		}
		t.log().Warn("request not forwarded", "method", m.Method, "error", o.err)
		return
	}
	body, isNoted := o.resp.Body.(*recorder)
	if isNoted {
		_, _ = io.Copy(io.Discard, body) // reading records it
	}
	o.resp.Body.Close()
	if lists[m.Method] != "" && (!isNoted || body.changed) {
		c.notify(listChanged(m.Method))
	}
}

// record has a response recorded for the cache.
func (t *signInTransport) record(m message, resp *http.Response) *http.Response {
	if resp == nil || resp.StatusCode != http.StatusOK || !m.isRequest() || !m.isCacheable() && lists[m.Method] == "" {
		return resp
	}
	select {
	case t.recordings <- struct{}{}:
	default:
		return resp // a later response will be recorded
	}
	is := *resp // before its body is replaced
	resp.Body = &recorder{ReadCloser: resp.Body, limit: maxListSize, done: func(kept []byte) bool {
		defer func() { <-t.recordings }()
		is.Body = io.NopCloser(bytes.NewReader(kept))
		answer, err := readResponse(context.Background(), &is, maxListSize)
		return err == nil && t.updateCache(m, answer.text)
	}}
	return resp
}

// noteSession records a session that the server started with a client.
func (t *signInTransport) noteSession(m message, resp *http.Response) {
	if lists[m.Method] == "" {
		t.slow.Store(false)
	}
	id := resp.Header.Get(mcpwire.HeaderSession)
	if m.Method != methodInitialize || id == "" || len(id) > maxInitializeKept || len(m.text) > maxInitializeKept || resp.StatusCode != http.StatusOK {
		return
	}
	c := t.newClient(id, m)
	c.sessionStarted(id, "")
	t.clients.add(c)
}

// ensureSession starts a session at the server for a client whose session this proxy
// started.
func (t *signInTransport) ensureSession(ctx context.Context, c *client) error {
	if !c.initializePending() {
		return nil
	}
	c.connecting.Lock()
	defer c.connecting.Unlock()
	if !c.initializePending() {
		return nil // another request did
	}
	ctx, cancel := context.WithTimeout(ctx, restartTimeout)
	defer cancel()
	resp, err := t.send(ctx, c, c.initialize.text)
	if err != nil {
		return err
	}
	return t.finishInitialize(ctx, c, resp)
}

// finishInitialize records the server's response to a client's initialize.
func (t *signInTransport) finishInitialize(ctx context.Context, c *client, resp *http.Response) error {
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the server answers with %s", status(resp))
	}
	m, err := readResponse(ctx, resp, maxListSize)
	if err != nil {
		return err
	}
	t.updateCache(c.initialize, m.text)
	c.sessionStarted(resp.Header.Get(mcpwire.HeaderSession), protocolVersion(m))
	done, err := t.send(ctx, c, mcpwire.Request(nil, methodInitialized, nil))
	if err == nil {
		done.Body.Close()
	}
	return err
}

// send sends a message of this program in a client's session.
func (t *signInTransport) send(ctx context.Context, c *client, body []byte) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, t.Server, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", mcpwire.TypeJSON)
	req.Header.Set("Accept", mcpwire.TypeJSON+", "+mcpwire.TypeEvents)
	c.setHeaders(req.Header)
	return t.base.RoundTrip(req)
}

// endSession ends a session here and at the server.
func (t *signInTransport) endSession(req *http.Request, c *client) (*http.Response, error) {
	t.clients.remove(c)
	if c.initializePending() {
		return mcpwire.Respond(req, http.StatusOK, nil), nil
	}
	return t.forward(req, c)
}

// listen opens the stream for what the server sends unprompted. On it, the client also
// learns that the user has signed in.
func (t *signInTransport) listen(req *http.Request, c *client) (*http.Response, error) {
	var resp *http.Response
	if !c.isLocalSession() {
		var err error
		resp, err = t.forward(req, c)
		signedOut := t.SignIn.isRequiredAfter(req.Context(), t.Session, err)
		switch {
		case signedOut && c.id == "":
			return mcpwire.Respond(req, http.StatusMethodNotAllowed, nil), nil // the client cannot be identified
		case c.id == "", err != nil && !signedOut, err == nil && !isStream(resp):
			return resp, err
		}
	}
	s := newStream(req)
	t.work.Go(func() {
		defer s.close()
		defer c.addStream(s, true)()
		s.start()
		t.forwardServerStream(s, c, resp)
	})
	return s.response()
}

// forwardServerStream forwards the server's own stream as soon as there is one.
func (t *signInTransport) forwardServerStream(s *stream, c *client, resp *http.Response) {
	ctx := s.req.Context()
	for resp == nil {
		var err error
		resp, err = t.forward(s.req, c)
		switch {
		case t.SignIn.isRequiredAfter(ctx, t.Session, err):
			if c.watchSignIn().wait(ctx, 0) != nil {
				return
			}
		case err != nil:
			return // the client opens another stream
		case !isStream(resp):
			resp.Body.Close()
			<-ctx.Done() // the server has no stream, but this one carries notifications
			return
		}
	}
	defer resp.Body.Close()
	if _, ok := t.SignIn.signedIn(ctx, t.Session); ok {
		c.notifyListsChanged()
	}
	s.copy(resp.Body)
}

// isStream reports whether a response is a stream of events.
func isStream(resp *http.Response) bool {
	return resp.StatusCode == http.StatusOK && mcpwire.MediaType(resp) == mcpwire.TypeEvents
}
