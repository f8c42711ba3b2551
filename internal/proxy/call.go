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
	// maxResumes bounds how often a stream is taken up again without a new
	// event.
	maxResumes    = 5
	maxRetryDelay = 30 * time.Second
	// minRetryDelay is the least wait before a stream is taken up again, whatever
	// the server asks for: it could keep this program busy with nothing.
	minRetryDelay = 100 * time.Millisecond
	// gracePeriod is how long a stream may still say something after its answer,
	// and after the client has cancelled the request.
	gracePeriod = 2 * time.Second
)

// errNoAnswer is a request that the server left open.
var errNoAnswer = errors.New("the server closed the stream without an answer")

// rpcError is an error that the server itself answers with.
type rpcError struct {
	text      json.RawMessage
	withoutID bool // it names no request
}

func (e *rpcError) Error() string { return "the server answers with an error" }

// errSessionLost is an error that is about the session.
var errSessionLost = errors.New("the server lost the session")

// Is makes errors.Is(err, errForgotten) true for an error about the session.
func (e *rpcError) Is(target error) bool {
	return target == errSessionLost && e.withoutID && mentionsSession(e.text)
}

// call is a request under way.
type call struct {
	message
	cancel      context.CancelFunc
	cancelled   atomic.Bool // the client wants no answer any more
	sent        atomic.Bool // the server may know of it
	departed    *signal     // it was sent, or has ended
	answered    *signal     // the client has its answer, or gets none
	initialized *signal     // of initialize: the server has answered it, or does not

	cacheMu   sync.Mutex // guards served
	fromCache bool       // the client was answered from what is known of the server
}

// request starts a request, which goes its own way from here: the client that reads
// the client's messages must not wait for a server.
func (b *bridge) request(ctx context.Context, m message) {
	ctx, cancel := context.WithCancel(b.budget.WithAccount(ctx))
	c := &call{message: m, cancel: cancel, departed: newSignal(), answered: newSignal(), initialized: newSignal()}
	b.mu.Lock()
	b.pending[string(m.ID)] = c
	b.mu.Unlock()
	before := b.order
	b.order.departed = c.departed
	if m.Method == methodInitialize {
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

// finish lets go whatever waits for the call.
func (c *call) finish() {
	c.cancel()
	c.departed.set()
	c.answered.set()
	c.initialized.set()
}

// sendInOrder sends a request when it is its turn.
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

// fail answers a request that the server has not answered.
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

// cancel ends a request as the protocol has it. Without sessions the end of
// the stream is the signal; with them the notification is, and goes to the
// server, unless that cannot know of the request.
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

// exchange sends a request and passes on all that comes back. Where a stream says
// that the server has forgotten the session, it does so once more in a new one.
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

// open posts a request. A server that answers an initialize with 400 may know only
// older versions and not say so, as it should, by answering with its own
// (different-ai/openwork#3569): it is asked once more with the oldest. The client
// finds the version in the answer, and decides.
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

// forwardJSON passes on an answer that is one JSON text.
func (b *bridge) forwardJSON(ctx context.Context, c *call, body io.Reader) error {
	buf := b.newBuffer(ctx)
	defer buf.Reset()
	if err := buf.ReadFrom(ctx, body); err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	answered, err := b.forward(ctx, c, buf)
	if err == nil && !answered {
		err = errNoAnswer
	}
	return err
}

// forward hands the client what the server sent on a request's own stream, and
// reports whether the answer was among it.
func (b *bridge) forward(ctx context.Context, c *call, buf *buffer.Buffer) (answered bool, err error) {
	messages, err := parseBuffer(ctx, buf)
	if err != nil {
		return false, fmt.Errorf("the server sent data that is %w", err)
	}
	for _, m := range messages {
		switch {
		case m.isResponseTo(c.message):
			answered = true
			if m, err = b.noteResponse(ctx, c, m); err != nil {
				return false, err
			}
			if !c.answered.set() || c.cancelled.Load() {
				continue // the client has an answer, or wants none
			}
		case m.isErrorWithoutID():
			return false, &rpcError{m.Error, true} // about a request whose id it did not read
		}
		b.write(m)
	}
	return answered, nil
}

// noteResponse notes what the response to a request says of the server. It may return the
// message with its text in one piece.
func (b *bridge) noteResponse(ctx context.Context, c *call, m message) (message, error) {
	if !c.isCacheable() && lists[c.Method] == "" {
		return m, nil
	}
	if lists[c.Method] != "" && m.size() > maxListSize {
		b.cacheResponse(c, message{}) // too long to be kept
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

// forwardEvents passes on a request's stream until the answer came. A stream that
// breaks is taken up where it ended, if the server gave its events ids.
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

// streamEnded is the error of a stream that ended too early.
func streamEnded(err error) error {
	if errors.Is(err, io.EOF) {
		return errNoAnswer
	}
	return fmt.Errorf("%w: %w", errNoAnswer, err)
}

// resume opens a stream again after its last event.
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

// waitToRetry waits for as long as the server asks for, else longer each time.
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
