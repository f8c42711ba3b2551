package proxy

import (
	"bytes"
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

	"github.com/mcp-login/mcp-login/internal/eventstream"
	"github.com/mcp-login/mcp-login/internal/mcpwire"
)

const (
	// maxResumes bounds how often a stream is taken up again without a new
	// event.
	maxResumes = 5
	maxPause   = 30 * time.Second
	// minPause is the least wait before a stream is taken up again, whatever
	// the server asks for: it could keep this program busy with nothing.
	minPause = 100 * time.Millisecond
	// linger is how long a stream may still say something after its answer,
	// and after the client has cancelled the request.
	linger = 2 * time.Second
	// maxErrorBody limits what is read of an answer that is none.
	maxErrorBody = 1 << 20
)

// errNoAnswer is a request that the server left open.
var errNoAnswer = errors.New("the server closed the stream without an answer")

// rpcError is an error that the server itself answers with.
type rpcError struct {
	text     json.RawMessage
	nameless bool // it names no request
}

func (e *rpcError) Error() string { return "the server answers with an error" }

// errForgotten is an error that is about the session.
var errForgotten = errors.New("the server lost the session")

// Is makes errors.Is(err, errForgotten) true for an error about the session.
func (e *rpcError) Is(target error) bool {
	return target == errForgotten && e.nameless && namesSession(e.text)
}

// call is a request under way.
type call struct {
	message
	giveUp    context.CancelFunc
	cancelled atomic.Bool // the client wants no answer any more
	sent      atomic.Bool // the server may know of it
	left      *mark       // it was sent, or has ended
	answered  *mark       // the client has its answer, or gets none
	begun     *mark       // of initialize: the server has answered it, or does not

	serving sync.Mutex // guards served
	served  bool       // the client was answered from what is known of the server
}

// request starts a request, which goes its own way from here: the client that reads
// the client's messages must not wait for a server.
func (b *bridge) request(ctx context.Context, m message) {
	ctx, giveUp := context.WithCancel(ctx)
	c := &call{message: m, giveUp: giveUp, left: newMark(), answered: newMark(), begun: newMark()}
	b.mu.Lock()
	b.pending[string(m.ID)] = c
	b.mu.Unlock()
	before := b.order
	b.order.asked = c.left
	if m.Method == initialize {
		b.order.begun = c.begun
	}
	b.work.Go(func() {
		defer c.end()
		err := b.serve(ctx, c, before)
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

// end lets go whatever waits for the call.
func (c *call) end() {
	c.giveUp()
	c.left.pass()
	c.answered.pass()
	c.begun.pass()
}

// whenDue sends a request when it is its turn.
func (b *bridge) whenDue(ctx context.Context, c *call, before order) error {
	if err := before.turn(ctx, c.message); err != nil {
		return err
	}
	select {
	case b.slots <- struct{}{}:
		defer func() { <-b.slots }()
	case <-ctx.Done():
		return ctx.Err()
	}
	ctx = context.WithValue(ctx, callKey{}, c)
	if err := b.connect(ctx, c.message); err != nil {
		return err
	}
	return b.exchange(ctx, c)
}

// fail answers a request that the server has not answered.
func (b *bridge) fail(ctx context.Context, c *call, err error) {
	own, isOwn := errors.AsType[*rpcError](err)
	switch {
	case c.cancelled.Load() || ctx.Err() != nil || !c.answered.pass():
	case isOwn:
		b.write(mcpwire.FailureOf(c.ID, own.text))
	case c.Method == listen && errors.Is(err, errNoAnswer):
		b.write(cancellation(c.ID))
	default:
		b.log().Warn("request not forwarded", "method", c.Method, "error", err)
		b.write(mcpwire.Failure(c.ID, codeUpstream, b.explain(err)))
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
		if b.wire.stateless() || !c.sent.Load() {
			c.giveUp()
		} else {
			time.AfterFunc(linger, c.giveUp)
		}
	}
	if !b.wire.stateless() {
		b.enqueue(ctx, m, c)
	}
}

// exchange sends a request and passes on all that comes back. Where a stream says
// that the server has forgotten the session, it does so once more in a new one.
func (b *bridge) exchange(ctx context.Context, c *call) error {
	session := b.wire.session()
	err := b.attempt(ctx, c)
	if session == "" || c.Method == initialize || !errors.Is(err, errForgotten) {
		return err
	}
	if err := b.renew(ctx, session); err != nil {
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
	c.left.pass()
	if c.Method == initialize {
		b.wire.begin(c.message, resp.Header.Get(mcpwire.HeaderSession))
	}
	switch mcpwire.MediaType(resp) {
	case mcpwire.TypeJSON:
		return b.whole(ctx, c, resp.Body)
	case mcpwire.TypeEvents:
		return b.follow(ctx, c, resp.Body)
	}
	return fmt.Errorf("the server answers with %s and no message", status(resp))
}

// open posts a request. A server that answers an initialize with 400 may know only
// older versions and not say so, as it should, by answering with its own
// (different-ai/openwork#3569): it is asked once more with the oldest. The client
// finds the version in the answer, and decides.
func (b *bridge) open(ctx context.Context, c *call) (*http.Response, error) {
	resp, err := b.post(ctx, c.message)
	if err != nil || c.Method != initialize || resp.StatusCode != http.StatusBadRequest {
		return resp, err
	}
	hello, ok := c.message.withVersion(oldest)
	if !ok {
		return resp, nil
	}
	again, err := b.post(ctx, hello)
	if err != nil || again.StatusCode != http.StatusOK {
		if err == nil {
			again.Body.Close()
		}
		return resp, nil // the first answer counts
	}
	resp.Body.Close()
	c.message = hello
	return again, nil
}

// whole passes on an answer that is one JSON text.
func (b *bridge) whole(ctx context.Context, c *call, body io.Reader) error {
	t := b.text(b.MaxMessage)
	defer t.reset()
	if err := t.readFrom(ctx, body); err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	answered, err := b.pass(c, t.bytes)
	if err == nil && !answered {
		err = errNoAnswer
	}
	return err
}

// pass hands the client what the server sent on a request's own stream, and
// reports whether the answer was among it.
func (b *bridge) pass(c *call, text []byte) (answered bool, err error) {
	messages, err := parse(text, parseHeard)
	if err != nil {
		return false, fmt.Errorf("the server sent data that is %w", err)
	}
	for _, m := range messages {
		switch {
		case m.answers(c.message):
			answered = true
			b.wire.learn(c.message, m)
			c.begun.pass()
			b.remember(c, m)
			if !c.answered.pass() || c.cancelled.Load() {
				continue // the client has an answer, or wants none
			}
		case m.isNamelessError():
			return false, &rpcError{m.Error, true} // about a request whose id it did not read
		}
		b.write(m.text)
	}
	return answered, nil
}

// follow passes on a request's stream until the answer came. A stream that
// breaks is taken up where it ended, if the server gave its events ids.
func (b *bridge) follow(ctx context.Context, c *call, body io.ReadCloser) error {
	var at eventstream.Cursor
	idle, answered := 0, false
	defer func() { body.Close() }()
	for {
		before := at.ID
		_, err := events(ctx, body, b.text(b.MaxMessage), &at, func(data []byte) (bool, error) {
			last, err := b.pass(c, data)
			if last && !answered {
				answered = true
				time.AfterFunc(linger, c.giveUp) // the stream should end now
			}
			return false, err
		})
		_, refused := errors.AsType[*rpcError](err)
		switch {
		case answered:
			return nil
		case at.ID == "" || b.wire.stateless() || refused:
			return lost(err)
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

// lost is the error of a stream that ended too early.
func lost(err error) error {
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
		if err := pause(ctx, at.Retry, *idle); err != nil {
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

// pause waits for as long as the server asks for, else longer each time.
func pause(ctx context.Context, asked time.Duration, try int) error {
	d := max(asked, minPause)
	if asked == 0 {
		d = min(time.Second<<min(try-1, 10), maxPause)
		d = d/2 + rand.N(d/2)
	}
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// post sends a message in the session of now. Where the server has forgotten
// that, a new one is begun as the client began its own, and the message
// is sent again.
func (b *bridge) post(ctx context.Context, m message) (*http.Response, error) {
	session := b.wire.session()
	if m.Method == initialize {
		session = ""
	}
	resp, err := b.send(ctx, m, session)
	if err != nil || session == "" || !forgotten(resp) {
		return resp, err
	}
	resp.Body.Close()
	if err := b.renew(ctx, session); err != nil {
		return nil, fmt.Errorf("the server lost the session and starts no new one: %w", err)
	}
	return b.send(ctx, m, b.wire.session())
}

// send is one POST.
func (b *bridge) send(ctx context.Context, m message, session string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, b.Server, bytes.NewReader(m.text))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", mcpwire.TypeJSON)
	req.Header.Set("Accept", mcpwire.TypeJSON+", "+mcpwire.TypeEvents)
	b.wire.sign(req.Header, m, session)
	return b.client.Do(req)
}

// get opens a stream of what the server starts, or one that broke.
func (b *bridge) get(ctx context.Context, after string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, b.Server, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", mcpwire.TypeEvents)
	if after != "" {
		req.Header.Set(mcpwire.HeaderResume, after)
	}
	b.wire.sign(req.Header, message{}, b.wire.session())
	return b.client.Do(req)
}

// check returns why an answer is none.
func (b *bridge) check(ctx context.Context, resp *http.Response) error {
	if resp.StatusCode >= 200 && resp.StatusCode < 300 {
		return nil
	}
	t := b.text(maxErrorBody)
	defer t.reset()
	if mcpwire.MediaType(resp) == mcpwire.TypeJSON {
		_ = t.readFrom(ctx, resp.Body) // what cannot be read is no message
	}
	if err := b.refusal(resp); err != nil {
		return err
	}
	if m, err := parseHeard(bytes.TrimSpace(t.bytes)); err == nil && m.Error != nil {
		return &rpcError{text: m.Error}
	}
	return fmt.Errorf("the server answers with %s", status(resp))
}
