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

// signInTransport reaches the server for the clients of a proxy over HTTP. What needs
// a sign-in first is answered here, as [Stdio] does it. The client's own requests are
// passed on as they are, unless it began its session here.
type signInTransport struct {
	Upstream
	base    http.RoundTripper
	lasting context.Context // of the proxy
	clients clients
	work    sync.WaitGroup
	late    atomic.Bool   // the server took too long with the first request
	notes   chan struct{} // one is held for each answer that is kept while it is read
}

// maxNotes bounds them, and so the memory that they take: each is at most maxListed.
const maxNotes = 8

// outcome is what became of a request.
type outcome struct {
	resp *http.Response
	err  error
}

// RoundTrip implements http.RoundTripper.
func (t *signInTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	m, _ := req.Context().Value(messageKey{}).(message)
	id := req.Header.Get(mcpwire.HeaderSession)
	c := t.clients.find(id)
	switch {
	case c == nil && strings.HasPrefix(id, ownID):
		return empty(req, http.StatusNotFound), nil // it began before this proxy, and begins again now
	case c == nil:
		c = t.stranger(req, m)
	}
	switch {
	case req.Method == http.MethodGet:
		return t.listen(req, c)
	case req.Method == http.MethodDelete:
		return t.endSession(req, c)
	case m.isResponse() && c.asked.take(m), c.owes() && !m.isRequest():
		return empty(req, http.StatusAccepted), nil
	case m.isRequest() && m.isKnown():
		return t.serveKnown(req, c, m)
	case m.Method == callTool && t.SignIn.isTool(m.Params.Name):
		return t.answerHere(req, c, m, func(s *stream) { c.serveSignIn(req.Context(), m, s.outlet()) })
	}
	if denial := t.denial(m); denial != nil {
		return whole(req, denial), nil
	}
	return t.serve(req, c, m)
}

// serve passes on a request, and answers it here as far as that is possible where the
// user must sign in first.
func (t *signInTransport) serve(req *http.Request, c *client, m message) (*http.Response, error) {
	resp, err := t.pass(req, c)
	if !t.SignIn.wants(req.Context(), t.Session, err) {
		return t.noting(m, resp), err
	}
	c.await()
	switch m.Method {
	case callTool:
		return t.answerHere(req, c, m, func(s *stream) {
			if c.leadThrough(req.Context(), m, s.outlet()) {
				resp, err := t.pass(req, c)
				s.forward(resp, err, func(err error) []byte { return mcpwire.Failure(m.ID, codeUpstream, t.explain(err)) })
			}
		})
	case ping:
		return whole(req, reply(m, struct{}{})), nil
	}
	return nil, t.SignIn.required(err)
}

// answerHere answers a request by what is sent to a stream.
func (t *signInTransport) answerHere(req *http.Request, c *client, m message, answer func(*stream)) (*http.Response, error) {
	s := newStream(req)
	t.work.Go(func() {
		defer s.end()
		if m.Params.Meta.Version < mcpwire.Stateless {
			defer c.hears(s, false)()
		}
		answer(s)
	})
	return s.response()
}

// pass sends a request to the server, in the session that the client has there.
func (t *signInTransport) pass(req *http.Request, c *client) (*http.Response, error) {
	if err := t.connect(req.Context(), c); err != nil {
		return nil, err
	}
	out, err := again(req)
	if err != nil {
		return nil, err
	}
	c.sign(out.Header)
	resp, err := t.base.RoundTrip(out)
	if err != nil {
		return nil, err
	}
	if c.isOurs() {
		if resp.StatusCode == http.StatusNotFound {
			t.clients.drop(c) // it begins another session
		}
		if resp.Header.Get(mcpwire.HeaderSession) != "" {
			resp.Header.Set(mcpwire.HeaderSession, c.id)
		}
	}
	return resp, nil
}

// again returns a copy of a request that can be sent while the first one is.
func again(req *http.Request) (*http.Request, error) {
	out := req.Clone(req.Context())
	if req.Body != nil && req.GetBody != nil {
		body, err := req.GetBody()
		if err != nil {
			return nil, err
		}
		out.Body = body
	}
	m, _ := req.Context().Value(messageKey{}).(message)
	if m.isKnown() || lists[m.Method] != "" {
		out.Header.Del("Accept-Encoding") // the answer is read here
	}
	return out, nil
}

// serveKnown passes on a request whose answer is known from the last time.
func (t *signInTransport) serveKnown(req *http.Request, c *client, m message) (*http.Response, error) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(req.Context()))
	stop := context.AfterFunc(req.Context(), cancel)
	outcomes := make(chan outcome, 1)
	t.work.Go(func() {
		resp, err := t.pass(req.WithContext(ctx), c)
		outcomes <- outcome{t.noting(m, resp), err}
	})
	limit := promptly
	if t.late.Load() {
		limit = 0
	}
	select {
	case o := <-outcomes:
		if o.err == nil {
			o.resp.Body = closing{o.resp.Body, func() { stop(); cancel(); c.hasListed(m) }}
			t.met(m, o.resp)
			return o.resp, nil
		}
		cancel()
		if !t.SignIn.wants(req.Context(), t.Session, o.err) {
			return nil, o.err
		}
		resp, _ := t.answerKnown(req, c, m, true)
		return resp, nil
	case <-time.After(limit):
		if !stop() {
			cancel()
			return nil, req.Context().Err()
		}
	}
	time.AfterFunc(renewal, cancel)
	resp, known := t.answerKnown(req, c, m, false)
	t.work.Go(func() {
		defer cancel()
		t.comesLate(ctx, known, m, <-outcomes)
	})
	return resp, nil
}

// answerKnown answers a request from what is known of the server. A client that says
// hello begins its session here, and is another one from then on.
func (t *signInTransport) answerKnown(req *http.Request, c *client, m message, signedOut bool) (*http.Response, *client) {
	resp := whole(req, t.SignIn.known(m, t.Server, signedOut))
	if lists[m.Method] == "" {
		t.late.Store(!signedOut)
	}
	if m.Method == initialize && len(m.text) <= maxKept {
		c = t.newClient(ownID+rand.Text(), m)
		if !signedOut {
			c.connecting.Lock() // until the server has answered
		}
		t.clients.add(c)
		resp.Header.Set(mcpwire.HeaderSession, c.id)
	}
	if signedOut {
		c.await()
	}
	return resp, c
}

// comesLate deals with an answer of the server to a request that was answered here.
func (t *signInTransport) comesLate(ctx context.Context, c *client, m message, o outcome) {
	if m.Method == initialize && c.isOurs() {
		defer c.connecting.Unlock()
		if o.err == nil {
			o.err = t.begin(ctx, c, o.resp)
		}
	}
	if m.Method == initialize || m.Method == discover && o.err == nil {
		t.late.Store(false)
	}
	if o.err != nil {
		if t.SignIn.wants(ctx, t.Session, o.err) {
			c.await()
		}
		t.log().Warn("request not forwarded", "method", m.Method, "error", o.err)
		return
	}
	body, isNoted := o.resp.Body.(*noted)
	if isNoted {
		_, _ = io.Copy(io.Discard, body) // what is read is kept
	}
	o.resp.Body.Close()
	if lists[m.Method] != "" && (!isNoted || body.changed) {
		c.notify(listChanged(m.Method))
	}
}

// noting has an answer of the server kept for the next time.
func (t *signInTransport) noting(m message, resp *http.Response) *http.Response {
	if resp == nil || resp.StatusCode != http.StatusOK || !m.isRequest() || !m.isKnown() && lists[m.Method] == "" {
		return resp
	}
	select {
	case t.notes <- struct{}{}:
	default:
		return resp // there will be another list
	}
	is := *resp // as it comes
	resp.Body = &noted{ReadCloser: resp.Body, limit: maxListed, keep: func(kept []byte) bool {
		defer func() { <-t.notes }()
		is.Body = io.NopCloser(bytes.NewReader(kept))
		answer, err := response(context.Background(), &is, text{memory: newMemory(), limit: maxListed})
		return err == nil && t.keep(m, answer.text)
	}}
	return resp
}

// met notes a session that the server began with a client.
func (t *signInTransport) met(m message, resp *http.Response) {
	if lists[m.Method] == "" {
		t.late.Store(false)
	}
	id := resp.Header.Get(mcpwire.HeaderSession)
	if m.Method != initialize || id == "" || len(id) > maxKept || len(m.text) > maxKept || resp.StatusCode != http.StatusOK {
		return
	}
	c := t.newClient(id, m)
	c.begin(id, "")
	t.clients.add(c)
}

// connect begins a session at the server for a client that began its own here.
func (t *signInTransport) connect(ctx context.Context, c *client) error {
	if !c.owes() {
		return nil
	}
	c.connecting.Lock()
	defer c.connecting.Unlock()
	if !c.owes() {
		return nil // somebody else did
	}
	ctx, cancel := context.WithTimeout(ctx, renewal)
	defer cancel()
	resp, err := t.send(ctx, c, c.said.text)
	if err != nil {
		return err
	}
	return t.begin(ctx, c, resp)
}

// begin notes how the server answered a client's hello.
func (t *signInTransport) begin(ctx context.Context, c *client, resp *http.Response) error {
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the server answers with %s", status(resp))
	}
	m, err := response(ctx, resp, text{memory: newMemory(), limit: maxListed})
	if err != nil {
		return err
	}
	t.keep(c.said, m.text)
	c.begin(resp.Header.Get(mcpwire.HeaderSession), spoken(m))
	done, err := t.send(ctx, c, mcpwire.Request(nil, initialized, nil))
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
	c.sign(req.Header)
	return t.base.RoundTrip(req)
}

// endSession ends a session here and at the server.
func (t *signInTransport) endSession(req *http.Request, c *client) (*http.Response, error) {
	t.clients.drop(c)
	if c.owes() {
		return empty(req, http.StatusOK), nil
	}
	return t.pass(req, c)
}

// listen opens the stream of what the server starts by itself. Through it the client
// also hears that somebody has signed in.
func (t *signInTransport) listen(req *http.Request, c *client) (*http.Response, error) {
	var resp *http.Response
	if !c.isOurs() {
		var err error
		resp, err = t.pass(req, c)
		signedOut := t.SignIn.wants(req.Context(), t.Session, err)
		switch {
		case signedOut && c.id == "":
			return empty(req, http.StatusMethodNotAllowed), nil // a client of which nothing is known
		case c.id == "", err != nil && !signedOut, err == nil && !isStream(resp):
			return resp, err
		}
	}
	s := newStream(req)
	t.work.Go(func() {
		defer s.end()
		defer c.hears(s, true)()
		s.begin()
		t.fill(s, c, resp)
	})
	return s.response()
}

// fill passes on the server's own stream, as soon as there is one.
func (t *signInTransport) fill(s *stream, c *client, resp *http.Response) {
	ctx := s.req.Context()
	for resp == nil {
		var err error
		resp, err = t.pass(s.req, c)
		switch {
		case t.SignIn.wants(ctx, t.Session, err):
			if c.await().wait(ctx, 0) != nil {
				return
			}
		case err != nil:
			return // the client opens another stream
		case !isStream(resp):
			resp.Body.Close()
			<-ctx.Done() // there is none, but there is this one
			return
		}
	}
	defer resp.Body.Close()
	if _, ok := t.SignIn.signedIn(ctx, t.Session); ok {
		c.announce()
	}
	s.copy(resp.Body)
}

// isStream reports whether an answer is a stream of events.
func isStream(resp *http.Response) bool {
	return resp.StatusCode == http.StatusOK && mcpwire.MediaType(resp) == mcpwire.TypeEvents
}
