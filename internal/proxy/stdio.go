package proxy

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mcp-login/mcp-login/internal/buffer"
	"github.com/mcp-login/mcp-login/internal/mcpwire"
	"github.com/mcp-login/mcp-login/oauth"
)

const (
	defaultMaxMessage = 64 << 20
	defaultDrain      = 30 * time.Second
	// closeTimeout limits the work after the end: closing the session at the server, and
	// writing to a client that no longer reads.
	closeTimeout = 2 * time.Second
)

// Stdio is an MCP server on a pair of streams, in front of one that requires a token.
type Stdio struct {
	Upstream
	// MaxMessage limits the size of a message, in bytes; zero means 64 MiB.
	MaxMessage int
	// Drain is how long requests in flight may take after the client has closed its input;
	// zero means 30 s.
	Drain time.Duration
}

// Run forwards the messages of in, one a line, to the server, and what comes back to out,
// until in or ctx ends; then it returns nil. A request that cannot be forwarded is answered
// with an error, and nothing but JSON-RPC is written to out. A read of in that is blocked
// when ctx ends is abandoned.
func (s Stdio) Run(ctx context.Context, in io.Reader, out io.Writer) error {
	if s.MaxMessage == 0 {
		s.MaxMessage = defaultMaxMessage
	}
	if s.Drain == 0 {
		s.Drain = defaultDrain
	}
	// The bridge limits messages itself; the transport's limit leaves room for their
	// framing.
	ctx, stop := context.WithCancelCause(oauth.WithMessageLimit(ctx, 2*int64(s.MaxMessage)+maxErrorBody))
	defer stop(nil)
	b := &bridge{
		Stdio: s,
		client: &http.Client{
			Transport:     s.authorized(sendTracker{s.transport()}),
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		lifetime: ctx, stop: stop, out: out, budget: buffer.NewBudget(),
		slots: make(chan struct{}, maxInFlight), notifications: make(chan notification, maxQueued),
		pending: map[string]*call{},
	}
	closing, endInput := context.WithCancel(ctx)
	b.user = &user{Upstream: s.Upstream, lifetime: ctx, closing: closing, work: &b.work, initialize: b.conn.initializeMessage, notify: b.notifyClient, requests: &clientRequests{}}
	b.work.Go(func() { b.sendNotifications(ctx) })
	b.readClient(ctx, in)
	endInput()
	close(b.notifications)
	if ctx.Err() == nil {
		b.drain()
	}
	cause := context.Cause(ctx)
	stop(nil)
	waitTimeout(&b.work, closeTimeout)
	b.endSession(context.WithoutCancel(ctx))
	if failure, ok := errors.AsType[*streamError](cause); ok {
		return failure
	}
	return nil
}

// streamError means that reading from or writing to the client failed.
type streamError struct {
	what string
	err  error
}

func (e *streamError) Error() string { return e.what + ": " + e.err.Error() }
func (e *streamError) Unwrap() error { return e.err }

// bridge is one run of Stdio.
type bridge struct {
	Stdio
	client *http.Client
	conn   connection
	work   sync.WaitGroup // requests, and the server's own stream

	// lifetime is the context of the run: the server's own stream outlives the request that
	// started it.
	lifetime context.Context
	stop     context.CancelCauseFunc

	writing sync.Mutex // guards out
	out     io.Writer

	order         order             // what the client sent before the next message
	budget        *buffer.Budget    // for what the server sends
	slots         chan struct{}     // one is held for each request at the server
	notifications chan notification // the notification queue

	user *user       // of the client
	slow atomic.Bool // the first request was answered from the cache

	mu      sync.Mutex // guards pending
	pending map[string]*call
}

// line is a line of the client, or why there is none.
type line struct {
	text []byte
	id   json.RawMessage // of a request that is too long, if it was found
	err  error
}

// readClient handles the client's messages in their order.
func (b *bridge) readClient(ctx context.Context, in io.Reader) {
	lines := make(chan line)
	go func() {
		r := bufio.NewReaderSize(in, 64<<10)
		for {
			var peeker mcpwire.Scanner
			text, err := readLine(r, b.MaxMessage, &peeker)
			select {
			case lines <- line{text, peeker.RequestID(), err}:
			case <-ctx.Done():
				return
			}
			if err != nil && !errors.Is(err, buffer.ErrTooLong) {
				return
			}
		}
	}()
	for {
		select {
		case <-ctx.Done():
			return
		case l := <-lines:
			b.handleLine(ctx, l)
			if errors.Is(l.err, io.EOF) {
				return
			}
			if l.err != nil && !errors.Is(l.err, buffer.ErrTooLong) {
				b.stop(&streamError{"read from the client", l.err})
			}
		}
	}
}

// handleLine handles one line of the client.
func (b *bridge) handleLine(ctx context.Context, l line) {
	if errors.Is(l.err, buffer.ErrTooLong) {
		code := mcpwire.CodeParse
		if l.id != nil {
			code = codeUpstream
		}
		b.log().Warn("message not forwarded", "error", l.err)
		b.writeText(mcpwire.Failure(l.id, code, l.err.Error()))
	}
	if len(bytes.TrimSpace(l.text)) == 0 {
		return
	}
	messages, err := parseMessages(l.text)
	if err != nil {
		b.writeText(mcpwire.Failure(nil, mcpwire.CodeParse, err.Error()))
		return
	}
	for _, m := range messages {
		b.conn.noteVersion(m)
		if m.isResponse() && b.user.requests.deliver(m) {
			continue // a response to a request of this program
		}
		switch denial := b.toolDenial(m); {
		case m.isRequest() && !mcpwire.IsID(m.ID):
			b.writeText(mcpwire.Failure(nil, mcpwire.CodeInvalid, "the id of a request is a string or a number"))
		case denial != nil:
			b.writeText(denial)
		case m.isRequest():
			b.request(ctx, m.extractInput())
		case m.Method == methodCancelled:
			b.cancel(ctx, m)
		default:
			b.enqueue(ctx, m, nil)
		}
	}
}

// newBuffer returns a buffer for a message of the server.
func (b *bridge) newBuffer(ctx context.Context) *buffer.Buffer {
	return buffer.New(buffer.AccountOf(ctx), b.MaxMessage)
}

// writeText sends the client a message of this program.
func (b *bridge) writeText(text []byte) { b.write(message{text: text}) }

// write sends the client one message.
func (b *bridge) write(m message) {
	parts := m.parts()
	for _, part := range parts {
		oneLine(part)
	}
	last := len(parts) - 1
	parts[last] = append(parts[last], '\n')
	b.writing.Lock()
	defer b.writing.Unlock()
	for _, part := range parts {
		if _, err := b.out.Write(part); err != nil {
			b.stop(&streamError{"write to the client", err})
			return
		}
	}
}

// drain waits for the requests in flight, except those that never end and those that have
// been answered.
func (b *bridge) drain() {
	b.mu.Lock()
	for _, c := range b.pending {
		if c.Method == methodSubscribe || c.answered.isSet() {
			c.cancel()
		}
	}
	b.mu.Unlock()
	b.conn.closeListener()
	if !waitTimeout(&b.work, b.Drain) {
		b.log().Warn("requests were still in flight at the end", "waited", b.Drain)
	}
}

// waitTimeout waits for work and reports whether it ended in time.
func waitTimeout(work *sync.WaitGroup, limit time.Duration) bool {
	done := make(chan struct{})
	go func() {
		work.Wait()
		close(done)
	}()
	select {
	case <-done:
		return true
	case <-time.After(limit):
		return false
	}
}
