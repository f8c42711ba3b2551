package proxy

import (
	"context"
	"net/http"
	"net/http/httptrace"
	"sync"
	"time"
)

const (
	// ordered is how long a message waits for the server to take the
	// notifications and answers before it: it may depend on them.
	ordered = 5 * time.Second
	// orderWait is how long a request waits for the one before it to leave. The
	// transport promises no order among requests, so this only keeps the one
	// that there is while connections are quick.
	orderWait = 100 * time.Millisecond
	// taking bounds the sending of a notification, and so how many of them a
	// server can keep open.
	taking = 2 * time.Minute
	// maxInFlight is how many requests go to the server at once; others wait here.
	maxInFlight = 256
	// maxQueued is how many notifications may wait for their turn. Then the
	// client is read as slowly as the server takes them.
	maxQueued = 1000
)

// mark is a point that others wait for.
type mark struct {
	passed chan struct{}
	once   sync.Once
}

func newMark() *mark { return &mark{passed: make(chan struct{})} }

// pass reports whether it is the first to pass.
func (m *mark) pass() (first bool) {
	m.once.Do(func() {
		first = true
		close(m.passed)
	})
	return first
}

func (m *mark) isPassed() bool {
	select {
	case <-m.passed:
		return true
	default:
		return false
	}
}

// wait waits until m is passed, for a limit of time; zero means no limit. A
// nil mark is passed. The error is that of ctx.
func (m *mark) wait(ctx context.Context, limit time.Duration) error {
	if m == nil {
		return ctx.Err()
	}
	select {
	case <-m.passed:
		return ctx.Err()
	default:
	}
	var over <-chan time.Time
	if limit > 0 {
		over = time.After(limit)
	}
	select {
	case <-m.passed:
	case <-over:
	case <-ctx.Done():
	}
	return ctx.Err()
}

// order is what the next message of the client has before it. Nobody but the
// one who reads the client's messages looks at it.
type order struct {
	begun    *mark // the last initialize has its answer
	notified *mark // the server took the last notification or answer
	asked    *mark // the last request has left
}

// turn waits until a request may leave. Before the answer to initialize there
// is no session, nor a version of the protocol.
func (o order) turn(ctx context.Context, m message) error {
	if m.Method != initialize {
		if err := o.begun.wait(ctx, 0); err != nil {
			return err
		}
	}
	if err := o.notified.wait(ctx, ordered); err != nil {
		return err
	}
	return o.asked.wait(ctx, orderWait)
}

// notification is a message that has no answer: a notification, or the client's own
// answer to a request of the server.
type notification struct {
	message
	begun *mark // nil for an answer: whom it answers has begun
	ends  *call // what it cancels; nil: nothing
	taken *mark
}

// enqueue has the server told of a message, after all that it was told before.
func (b *bridge) enqueue(ctx context.Context, m message, ends *call) {
	t := notification{message: m, ends: ends, taken: newMark()}
	if !m.isResponse() {
		t.begun = b.order.begun
	}
	b.order.notified = t.taken
	select {
	case b.notifications <- t:
	case <-ctx.Done():
	}
}

// deliver sends the server what it is told, one by one until the last. One
// that it does not take holds up the next for a while.
func (b *bridge) deliver(ctx context.Context) {
	for t := range b.notifications {
		if t.begun.wait(ctx, 0) != nil {
			continue // the end: what is left is not sent
		}
		if t.ends != nil {
			_ = t.ends.left.wait(ctx, ordered) // the end is seen below
			if !t.ends.sent.Load() {
				t.taken.pass()
				continue // the server knows of nothing that could be cancelled
			}
		}
		b.work.Go(func() { b.inform(ctx, t) })
		_ = t.taken.wait(ctx, ordered) // and here
	}
}

// inform sends the server one message that has no answer.
func (b *bridge) inform(ctx context.Context, t notification) {
	defer t.taken.pass()
	if b.wire.owes() {
		return // nobody has heard of the client; connect says all that is needed
	}
	ctx, cancel := context.WithTimeout(ctx, taking)
	defer cancel()
	resp, err := b.post(ctx, t.message)
	if err == nil {
		err = b.check(ctx, resp)
		resp.Body.Close()
	}
	if err != nil {
		b.log().Warn("message not forwarded", "method", t.Method, "error", err)
		return
	}
	if t.Method == initialized {
		b.listen()
	}
}

// departure tells how far a request is. It stands below the session's
// transport, so that a refresh on the way does not count.
type departure struct{ base http.RoundTripper }

// callKey carries the call that a request is of.
type callKey struct{}

// RoundTrip implements http.RoundTripper.
func (d departure) RoundTrip(req *http.Request) (*http.Response, error) {
	c, ok := req.Context().Value(callKey{}).(*call)
	if !ok {
		return d.base.RoundTrip(req)
	}
	if !traced(d.base) {
		c.sent.Store(true) // for all that is known
	}
	return d.base.RoundTrip(req.WithContext(httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{
		GotConn:      func(httptrace.GotConnInfo) { c.sent.Store(true) },
		WroteRequest: func(httptrace.WroteRequestInfo) { c.left.pass() },
	})))
}

// traced reports whether a transport says what it does to net/http/httptrace.
func traced(t http.RoundTripper) bool {
	switch t.(type) {
	case *http.Transport, interface{ ReportsTrace() }:
		return true
	}
	return false
}
