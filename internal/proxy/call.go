package proxy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mcp-login/mcp-login/internal/buffer"
	"github.com/mcp-login/mcp-login/internal/eventstream"
	"github.com/mcp-login/mcp-login/internal/mcpwire"
)

const (
	// maxResumes is the maximum number of attempts to resume a stream that yield no new
	// event.
	maxResumes    = 5
	maxRetryDelay = 30 * time.Second
	// minRetryDelay is the minimum wait before a stream is resumed, whatever the server asks
	// for. Otherwise a server could keep this program busy.
	minRetryDelay = 100 * time.Millisecond
	// gracePeriod is how long a stream may stay open after its response, or after the client
	// canceled the request.
	gracePeriod = 2 * time.Second
)

// errNoAnswer means that the server closed the stream of a request without a response.
var errNoAnswer = errors.New("the server closed the stream without an answer")

// rpcError is a JSON-RPC error that the server returned.
type rpcError struct {
	text      json.RawMessage
	withoutID bool // it has no id
}

func (e *rpcError) Error() string { return "the server answers with an error" }

// errSessionLost matches an rpcError about the session.
var errSessionLost = errors.New("the server lost the session")

// Is implements errors.Is for errSessionLost.
func (e *rpcError) Is(target error) bool {
	return target == errSessionLost && e.withoutID && mentionsSession(e.text)
}

// call is a request in flight.
type call struct {
	message
	startsSession bool // it is an initialize, whose message may be replaced
	cancel        context.CancelFunc
	cancelled     atomic.Bool // the client canceled it
	sent          atomic.Bool // the server may know of it
	departed      *signal     // set when it was sent, or has ended
	answered      *signal     // set when the client has its answer, or gets none
	initialized   *signal     // of initialize: set when the server answered it, or failed to

	cacheMu   sync.Mutex // guards served
	fromCache bool       // the client was answered from the cache
}

// request starts a request in its own goroutine, because the reader of the client's
// messages must not wait for the server.
func (b *bridge) request(ctx context.Context, m message) {
	ctx, cancel := context.WithCancel(b.budget.WithAccount(ctx))
	c := &call{message: m, startsSession: m.Method == methodInitialize, cancel: cancel, departed: newSignal(), answered: newSignal(), initialized: newSignal()}
	b.mu.Lock()
	b.pending[string(m.ID)] = c
	b.mu.Unlock()
	before := b.order
	b.order.departed = c.departed
	if c.startsSession {
		b.order.initialized = c.initialized
	}
	b.work.Go(func() {
		defer c.finish()
		err := b.answer(ctx, c, before)
		b.mu.Lock()
		if b.pending[string(m.ID)] == c {
			delete(b.pending, string(m.ID))
		}
		b.mu.Unlock()
		if err != nil {
			b.fail(ctx, c, err)
		}
	})
}

// finish releases everything that waits for the call.
func (c *call) finish() {
	c.cancel()
	c.departed.set()
	c.answered.set()
	c.initialized.set()
}

// sendInOrder sends a request after the messages that the client sent before it.
func (b *bridge) sendInOrder(ctx context.Context, c *call, before order) error {
	if err := before.wait(ctx, c.message); err != nil {
		return err
	}
	select {
	case b.slots <- struct{}{}:
		defer func() { <-b.slots }()
	case <-ctx.Done():
		return ctx.Err()
	}
	ctx = context.WithValue(ctx, callKey{}, c)
	if err := b.ensureSession(ctx, c.message); err != nil {
		return err
	}
	return b.exchange(ctx, c)
}

// fail answers a request that the server did not answer.
func (b *bridge) fail(ctx context.Context, c *call, err error) {
	own, isOwn := errors.AsType[*rpcError](err)
	switch {
	case c.cancelled.Load() || ctx.Err() != nil || !c.answered.set():
	case isOwn:
		b.writeText(mcpwire.FailureOf(c.ID, own.text))
	case c.Method == methodSubscribe && errors.Is(err, errNoAnswer):
		b.writeText(cancelNotification(c.ID))
	default:
		b.log().Warn("request not forwarded", "method", c.Method, "error", err)
		b.writeText(mcpwire.Failure(c.ID, codeUpstream, b.explain(err)))
	}
}

// cancel cancels a request the way its protocol version does. Without sessions, closing the
// stream is the signal. With sessions, the notification is, and it is forwarded unless the
// server cannot have received the request.
func (b *bridge) cancel(ctx context.Context, m message) {
	b.mu.Lock()
	c := b.pending[string(m.Params.RequestID)]
	b.mu.Unlock()
	if c != nil {
		c.cancelled.Store(true)
		if b.conn.isStateless() || !c.sent.Load() {
			c.cancel()
		} else {
			time.AfterFunc(gracePeriod, c.cancel)
		}
	}
	if !b.conn.isStateless() {
		b.enqueue(ctx, m, c)
	}
}

// exchange sends a request and forwards what comes back. If an error on the stream says
// that the session is lost, exchange starts a new session and sends the request once more.
func (b *bridge) exchange(ctx context.Context, c *call) error {
	session := b.conn.sessionID()
	err := b.attempt(ctx, c)
	if session == "" || c.Method == methodInitialize || !errors.Is(err, errSessionLost) {
		return err
	}
	if err := b.restartSession(ctx, session); err != nil {
		return fmt.Errorf("the server lost the session and starts no new one: %w", err)
	}
	return b.attempt(ctx, c)
}

// attempt sends a request once.
func (b *bridge) attempt(ctx context.Context, c *call) error {
	resp, err := b.open(ctx, c)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if err := b.check(ctx, resp); err != nil {
		return err
	}
	c.departed.set()
	if c.Method == methodInitialize {
		b.conn.started(c.message, resp.Header.Get(mcpwire.HeaderSession))
	}
	switch mcpwire.MediaType(resp) {
	case mcpwire.TypeJSON:
		return b.forwardJSON(ctx, c, resp.Body)
	case mcpwire.TypeEvents:
		return b.forwardEvents(ctx, c, resp.Body)
	}
	return fmt.Errorf("the server answers with %s and no message", status(resp))
}

// open posts a request. A server that rejects an initialize with 400 may support only older
// versions without answering with its own version, as it should
// (different-ai/openwork#3569). It is then asked once more with the oldest version. The
// client finds the version in the response, and decides.
func (b *bridge) open(ctx context.Context, c *call) (*http.Response, error) {
	resp, err := b.post(ctx, c.message)
	if err != nil || c.Method != methodInitialize || resp.StatusCode != http.StatusBadRequest {
		return resp, err
	}
	initialize, ok := c.message.withVersion(oldestVersion)
	if !ok {
		return resp, nil
	}
	second, err := b.post(ctx, initialize)
	if err != nil || second.StatusCode != http.StatusOK {
		if err == nil {
			second.Body.Close()
		}
		return resp, nil // the first answer counts
	}
	resp.Body.Close()
	c.message = initialize
	return second, nil
}

// forwardJSON forwards a response that is one JSON text.
func (b *bridge) forwardJSON(ctx context.Context, c *call, body io.Reader) error {
	buf := b.newBuffer(ctx)
	defer buf.Reset()
	if err := buf.ReadFrom(ctx, body); err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	answered, err := b.forward(ctx, c, buf)
	switch {
	case err == nil && !answered:
		return errNoAnswer
	case errors.Is(err, mcpwire.ErrNotMessage) && buf.Len() <= maxSessionErrorSize:
		if text, readErr := buf.Bytes(ctx); readErr == nil && isSessionError(text) {
			return errSessionLost // of a server that sends no complete JSON-RPC error
		}
	}
	return err
}

// forward writes the messages that the server sent on a request's own stream to the client,
// and reports whether the response was among them.
func (b *bridge) forward(ctx context.Context, c *call, buf *buffer.Buffer) (answered bool, err error) {
	messages, err := parseBuffer(ctx, buf)
	if err != nil {
		return false, fmt.Errorf("the server sent data that is %w", err)
	}
	for _, m := range messages {
		switch {
		case m.isResponseTo(c.message):
			answered = true
			if err := b.deliver(ctx, c, m); err != nil {
				return false, err
			}
		case m.isErrorWithoutID():
			return false, &rpcError{m.Error, true} // the server could not read the request's id
		default:
			if err := b.forwardOther(ctx, m); err != nil {
				return false, err
			}
		}
	}
	return answered, nil
}

// forwardOther forwards a message that is no response to the request whose stream it came
// on. A response is forwarded only if its request is in flight.
func (b *bridge) forwardOther(ctx context.Context, m message) error {
	if !m.isResponse() {
		b.write(m)
		return nil
	}
	c := b.pendingCall(m)
	if c == nil {
		b.log().Debug("response to no request in flight not forwarded")
		return nil
	}
	time.AfterFunc(gracePeriod, c.cancel) // its own stream should end now
	return b.deliver(ctx, c, m)
}

// pendingCall returns the request in flight that a response answers; nil if there is none.
// An initialize is answered only on its own stream, which has the session's id.
func (b *bridge) pendingCall(m message) *call {
	b.mu.Lock()
	defer b.mu.Unlock()
	for id, c := range b.pending {
		if !c.startsSession && mcpwire.SameID(m.ID, json.RawMessage(id)) {
			return c
		}
	}
	return nil
}

// deliver forwards the response to a request once, unless the client canceled it.
func (b *bridge) deliver(ctx context.Context, c *call, m message) error {
	m, err := b.noteResponse(ctx, c, m)
	if err == nil && c.answered.set() && !c.cancelled.Load() {
		b.write(m)
	}
	return err
}

// noteResponse records what a response says about the server. It may return the message
// with its text in one piece.
func (b *bridge) noteResponse(ctx context.Context, c *call, m message) (message, error) {
	if !c.isCacheable() && lists[c.Method] == "" {
		return m, nil
	}
	if lists[c.Method] != "" && m.size() > maxListSize {
		b.cacheResponse(c, message{}) // too long for the cache
		return m, nil
	}
	m, err := m.joined(ctx)
	if err != nil {
		return m, err
	}
	b.conn.noteResponse(c.message, m)
	c.initialized.set()
	b.cacheResponse(c, m)
	return m, nil
}

// forwardEvents forwards the events of a request's stream until the response arrives. A
// stream that breaks is resumed if the server gave its events IDs.
func (b *bridge) forwardEvents(ctx context.Context, c *call, body io.ReadCloser) error {
	var at eventstream.Cursor
	buf := b.newBuffer(ctx)
	idle, answered := 0, false
	defer func() { body.Close() }()
	for {
		before := at.ID
		_, err := readEvents(ctx, body, buf, &at, func() (bool, error) {
			last, err := b.forward(ctx, c, buf)
			if last && !answered {
				answered = true
				time.AfterFunc(gracePeriod, c.cancel) // the stream should end now
			}
			return false, err
		})
		_, refused := errors.AsType[*rpcError](err)
		switch {
		case answered:
			return nil
		case at.ID == "" || b.conn.isStateless() || refused:
			return streamEnded(err)
		case ctx.Err() != nil:
			return ctx.Err()
		}
		if at.ID != before {
			idle = 0
		}
		body.Close()
		if body, err = b.resume(ctx, &at, &idle); err != nil {
			return fmt.Errorf("%w, and it cannot be resumed: %w", errNoAnswer, err)
		}
	}
}

// streamEnded is the error for a stream that ended too early.
func streamEnded(err error) error {
	if errors.Is(err, io.EOF) {
		return errNoAnswer
	}
	return fmt.Errorf("%w: %w", errNoAnswer, err)
}

// resume reopens a stream after its last event.
func (b *bridge) resume(ctx context.Context, at *eventstream.Cursor, idle *int) (io.ReadCloser, error) {
	for {
		*idle++
		if *idle > maxResumes {
			return http.NoBody, fmt.Errorf("%d attempts brought nothing new", maxResumes)
		}
		if err := waitToRetry(ctx, at.Retry, *idle); err != nil {
			return http.NoBody, err
		}
		resp, err := b.get(ctx, at.ID)
		if err != nil {
			b.log().Debug("stream not resumed", "error", err)
			continue
		}
		if resp.StatusCode != http.StatusOK || mcpwire.MediaType(resp) != mcpwire.TypeEvents {
			resp.Body.Close()
			return http.NoBody, fmt.Errorf("the server answers with %s", status(resp))
		}
		return resp.Body, nil
	}
}

// waitToRetry waits as long as the server asks for, or else longer each time.
func waitToRetry(ctx context.Context, wanted time.Duration, try int) error {
	d := max(wanted, minRetryDelay)
	if wanted == 0 {
		d = min(time.Second<<min(try-1, 10), maxRetryDelay)
		d = d/2 + rand.N(d/2)
	}
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
