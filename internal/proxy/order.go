package proxy

import (
	"context"
	"net/http"
	"net/http/httptrace"
	"sync"
	"time"
)

const (
	// notificationWait is how long a message waits for the server to accept the
	// notifications and responses before it, because it may depend on them.
	notificationWait = 5 * time.Second
	// requestWait is how long a request waits until the one before it was sent. HTTP does
	// not keep the order of requests, so this preserves it only while connections are fast.
	requestWait = 100 * time.Millisecond
	// notificationTimeout limits the sending of a notification, and so how many of them a
	// server can keep open.
	notificationTimeout = 2 * time.Minute
	// maxInFlight is the maximum number of requests at the server; others wait here.
	maxInFlight = 256
	// maxQueued is the maximum number of queued notifications. Beyond it, the client is read
	// only as fast as the server accepts them.
	maxQueued = 1000
)

// signal is an event that others wait for.
type signal struct {
	ch   chan struct{}
	once sync.Once
}

func newSignal() *signal { return &signal{ch: make(chan struct{})} }

// set reports whether it was the first call.
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

// wait waits until the signal is set, for at most a limit of time; zero means no limit. A
// nil signal counts as set. The error is that of ctx.
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

// order is what the client sent before its next message. Only the goroutine that reads the
// client's messages uses it.
type order struct {
	initialized *signal // set when the last initialize was answered
	notified    *signal // set when the server accepted the last notification or response
	departed    *signal // set when the last request was sent
}

// wait waits until a request may be sent. Before the response to initialize, neither the
// session nor the protocol version is known.
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

// notification is a message that has no response: a notification, or the client's response
// to a request of the server.
type notification struct {
	message
	initialized *signal // nil for a response, because the server has asked
	cancels     *call   // nil if it cancels nothing
	sent        *signal
}

// enqueue queues a message for the server, after the messages that were queued before.
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

// sendNotifications sends the queued messages in order, until the queue is closed. A
// message that the server does not accept delays the next one for a while.
func (b *bridge) sendNotifications(ctx context.Context) {
	for t := range b.notifications {
		if t.initialized.wait(ctx, 0) != nil {
			continue // the end: drop the rest
		}
		if t.cancels != nil {
			_ = t.cancels.departed.wait(ctx, notificationWait) // the next wait returns on cancellation
			if !t.cancels.sent.Load() {
				t.sent.set()
				continue // the server never received the request
			}
		}
		b.work.Go(func() { b.sendNotification(ctx, t) })
		_ = t.sent.wait(ctx, notificationWait) // as above
	}
}

// sendNotification sends one message that has no response.
func (b *bridge) sendNotification(ctx context.Context, t notification) {
	defer t.sent.set()
	if b.conn.initializePending() {
		return // the server does not know the client yet; ensureSession sends what is needed
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

// sendTracker records when a request was sent. It is below the session's transport, so that
// a token refresh on the way does not count.
type sendTracker struct{ base http.RoundTripper }

// callKey is the context key for the call that a request belongs to.
type callKey struct{}

// RoundTrip implements http.RoundTripper.
func (d sendTracker) RoundTrip(req *http.Request) (*http.Response, error) {
	c, ok := req.Context().Value(callKey{}).(*call)
	if !ok {
		return d.base.RoundTrip(req)
	}
	if !reportsTrace(d.base) {
		c.sent.Store(true) // assume so
	}
	return d.base.RoundTrip(req.WithContext(httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{
		GotConn:      func(httptrace.GotConnInfo) { c.sent.Store(true) },
		WroteRequest: func(httptrace.WroteRequestInfo) { c.departed.set() },
	})))
}

// reportsTrace reports whether a transport calls the hooks of net/http/httptrace.
func reportsTrace(t http.RoundTripper) bool {
	switch t.(type) {
	case *http.Transport, interface{ ReportsTrace() }:
		return true
	}
	return false
}
