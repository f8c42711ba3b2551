package proxy

import (
	"context"
	"net/http"
	"net/http/httptrace"
	"sync"
	"time"
)

const (
	// notificationWait is how long a message waits for the server to take the
	// notifications and answers before it: it may depend on them.
	notificationWait = 5 * time.Second
	// requestWait is how long a request waits for the one before it to leave. The
	// transport promises no order among requests, so this only keeps the one
	// that there is while connections are quick.
	requestWait = 100 * time.Millisecond
	// notificationTimeout bounds the sending of a notification, and so how many of them a
	// server can keep open.
	notificationTimeout = 2 * time.Minute
	// maxInFlight is how many requests go to the server at once; others wait here.
	maxInFlight = 256
	// maxQueued is how many notifications may wait for their turn. Then the
	// client is read as slowly as the server takes them.
	maxQueued = 1000
)

// signal is a point that others wait for.
type signal struct {
	ch   chan struct{}
	once sync.Once
}

func newSignal() *signal { return &signal{ch: make(chan struct{})} }

// set reports whether it is the first to pass.
func (m *signal) set() (first bool) {
	m.once.Do(func() {
		first = true
		close(m.ch)
	})
	return first
}

func (m *signal) isSet() bool {
	select {
	case <-m.ch:
		return true
	default:
		return false
	}
}

// wait waits until m is passed, for a limit of time; zero means no limit. A
// nil mark is passed. The error is that of ctx.
func (m *signal) wait(ctx context.Context, limit time.Duration) error {
	if m == nil {
		return ctx.Err()
	}
	select {
	case <-m.ch:
		return ctx.Err()
	default:
	}
	var over <-chan time.Time
	if limit > 0 {
		over = time.After(limit)
	}
	select {
	case <-m.ch:
	case <-over:
	case <-ctx.Done():
	}
	return ctx.Err()
}

// order is what the next message of the client has before it. Nobody but the
// one who reads the client's messages looks at it.
type order struct {
	initialized *signal // the last initialize has its answer
	notified    *signal // the server took the last notification or answer
	departed    *signal // the last request has left
}

// wait waits until a request may leave. Before the answer to initialize there
// is no session, nor a version of the protocol.
func (o order) wait(ctx context.Context, m message) error {
	if m.Method != methodInitialize {
		if err := o.initialized.wait(ctx, 0); err != nil {
			return err
		}
	}
	if err := o.notified.wait(ctx, notificationWait); err != nil {
		return err
	}
	return o.departed.wait(ctx, requestWait)
}

// notification is a message that has no answer: a notification, or the client's own
// answer to a request of the server.
type notification struct {
	message
	initialized *signal // nil for an answer: whom it answers has begun
	cancels     *call   // what it cancels; nil: nothing
	sent        *signal
}

// enqueue has the server told of a message, after all that it was told before.
func (b *bridge) enqueue(ctx context.Context, m message, ends *call) {
	t := notification{message: m, cancels: ends, sent: newSignal()}
	if !m.isResponse() {
		t.initialized = b.order.initialized
	}
	b.order.notified = t.sent
	select {
	case b.notifications <- t:
	case <-ctx.Done():
	}
}

// sendNotifications sends the server what it is told, one by one until the last. One
// that it does not take holds up the next for a while.
func (b *bridge) sendNotifications(ctx context.Context) {
	for t := range b.notifications {
		if t.initialized.wait(ctx, 0) != nil {
			continue // the end: what is left is not sent
		}
		if t.cancels != nil {
			_ = t.cancels.departed.wait(ctx, notificationWait) // the end is seen below
			if !t.cancels.sent.Load() {
				t.sent.set()
				continue // the server knows of nothing that could be cancelled
			}
		}
		b.work.Go(func() { b.sendNotification(ctx, t) })
		_ = t.sent.wait(ctx, notificationWait) // and here
	}
}

// sendNotification sends the server one message that has no answer.
func (b *bridge) sendNotification(ctx context.Context, t notification) {
	defer t.sent.set()
	if b.conn.initializePending() {
		return // nobody has heard of the client; connect says all that is needed
	}
	ctx, cancel := context.WithTimeout(ctx, notificationTimeout)
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
	if t.Method == methodInitialized {
		b.listen()
	}
}

// sendTracker tells how far a request is. It stands below the session's
// transport, so that a refresh on the way does not count.
type sendTracker struct{ base http.RoundTripper }

// callKey carries the call that a request is of.
type callKey struct{}

// RoundTrip implements http.RoundTripper.
func (d sendTracker) RoundTrip(req *http.Request) (*http.Response, error) {
	c, ok := req.Context().Value(callKey{}).(*call)
	if !ok {
		return d.base.RoundTrip(req)
	}
	if !reportsTrace(d.base) {
		c.sent.Store(true) // for all that is known
	}
	return d.base.RoundTrip(req.WithContext(httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{
		GotConn:      func(httptrace.GotConnInfo) { c.sent.Store(true) },
		WroteRequest: func(httptrace.WroteRequestInfo) { c.departed.set() },
	})))
}

// reportsTrace reports whether a transport says what it does to net/http/httptrace.
func reportsTrace(t http.RoundTripper) bool {
	switch t.(type) {
	case *http.Transport, interface{ ReportsTrace() }:
		return true
	}
	return false
}
