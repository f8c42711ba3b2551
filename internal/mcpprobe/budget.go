package mcpprobe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/mcp-login/mcp-login/internal/eventstream"
	"github.com/mcp-login/mcp-login/internal/mcpwire"
	"github.com/mcp-login/mcp-login/oauth"
)

// Limits of one run. Servers stay far below them.
const (
	maxMessage = 16 << 20 // of one answer, or of one event of a stream
	maxTotal   = 64 << 20 // of all answers together
	maxEvents  = 1000     // of all streams together, such as progress and pings
	maxPages   = 100      // of the list of tools
	maxTools   = 10_000

	defaultTimeout = 30 * time.Second
)

// errTooMuch ends a run whose server never comes to an end.
var errTooMuch = errors.New("the server sends too much data")

// errTooSlow ends a step that takes too long.
var errTooSlow = fmt.Errorf("timed out: %w", context.DeadlineExceeded)

// budget bounds what a server may send during a run, and counts it after
// decompression. It stands next to the network, whose errors it marks as such.
type budget struct {
	base http.RoundTripper

	mu            sync.Mutex // guards what follows
	bytes, events int
	err           error // what went beyond the limits
}

func (b *budget) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := b.base.RoundTrip(req)
	if _, moved := errors.AsType[*oauth.RedirectError](err); err != nil && !moved {
		err = &url.Error{Op: req.Method, URL: req.URL.String(), Err: err}
	}
	if err != nil {
		return nil, err
	}
	body := &spending{Closer: resp.Body, r: resp.Body, budget: b}
	if body.events = mcpwire.MediaType(resp) == mcpwire.TypeEvents; body.events {
		body.r = eventstream.Lines(resp.Body)
	}
	resp.Body = body
	return resp, nil
}

// spend counts a part of an answer.
func (b *budget) spend(bytes, events int) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.bytes += bytes
	b.events += events
	switch {
	case b.err != nil:
	case b.bytes > maxTotal:
		b.err = fmt.Errorf("%w: the limit is %d MiB for all answers together", errTooMuch, maxTotal>>20)
	case b.events > maxEvents:
		b.err = fmt.Errorf("%w: the limit is %d messages", errTooMuch, maxEvents)
	}
	return b.err
}

// spending is the body of an answer.
type spending struct {
	io.Closer
	r      io.Reader
	budget *budget
	events bool // the answer is a stream of events, whose lines end with \n
	inLine bool // the current line is not empty
}

func (s *spending) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if over := s.budget.spend(n, s.ended(p[:n])); over != nil {
		return 0, over
	}
	return n, err
}

// ended counts the empty lines, each of which ends an event.
func (s *spending) ended(part []byte) (n int) {
	if !s.events {
		return 0
	}
	for _, c := range part {
		if c == '\n' && !s.inLine {
			n++
		}
		s.inLine = c != '\n'
	}
	return n
}
