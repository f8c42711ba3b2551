package oauth

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// limitKey is the context key of the message limit.
type limitKey struct{}

// WithMessageLimit returns a context for requests through a guarded client whose
// responses may have messages of up to limit bytes: one document of that length,
// or an event stream of any length with events of that length. Lengths are
// counted after decompression. If ctx already has a limit, that one stays.
func WithMessageLimit(ctx context.Context, limit int64) context.Context {
	if ctx.Value(limitKey{}) != nil {
		return ctx
	}
	return context.WithValue(ctx, limitKey{}, limit)
}

// TooLongError means that a response exceeds the limit. It is an ErrAnswer.
type TooLongError struct {
	URL   string // without query
	Limit int64  // in bytes
}

func (e *TooLongError) Error() string {
	return fmt.Sprintf("%v: %s sent more than %s", ErrAnswer, e.URL, bytesText(e.Limit))
}

// Is makes errors.Is(err, ErrAnswer) true.
func (e *TooLongError) Is(target error) bool { return target == ErrAnswer }

func bytesText(n int64) string {
	if n >= 1<<20 && n%(1<<20) == 0 {
		return fmt.Sprintf("%d MiB", n>>20)
	}
	return fmt.Sprintf("%d bytes", n)
}

// limitBody limits the body of a response: each event of an event stream, else
// the whole body. The http.Transport has already set up decompression.
func limitBody(resp *http.Response) {
	if resp.Body == nil || resp.Body == http.NoBody {
		return
	}
	limit, asked := resp.Request.Context().Value(limitKey{}).(int64)
	if !asked {
		limit = maxBody
	}
	kind, _, _ := strings.Cut(resp.Header.Get("Content-Type"), ";") // parameters may be malformed
	resp.Body = &limitedBody{
		ReadCloser: resp.Body, left: limit, events: asked && strings.EqualFold(strings.TrimSpace(kind), "text/event-stream"),
		err: TooLongError{URL: displayURL(resp.Request.URL), Limit: limit},
	}
}

// limitedBody is a body whose Read fails when the limit is exceeded.
type limitedBody struct {
	io.ReadCloser
	err    TooLongError // has the limit
	left   int64        // remaining bytes
	events bool         // the limit applies to each event
	inLine bool         // in an event stream: the current line is not empty
	cr     bool         // the last byte was \r, which a \n may complete
	failed bool
}

func (b *limitedBody) Read(p []byte) (int, error) {
	if b.failed {
		return 0, &b.err
	}
	if !b.events && int64(len(p)) > b.left {
		p = p[:b.left+1] // one extra byte, to detect that the limit is exceeded
	}
	n, err := b.ReadCloser.Read(p)
	if b.events {
		b.count(p[:n])
	} else {
		b.left -= int64(n)
	}
	if b.left < 0 {
		b.failed = true
		return 0, &b.err
	}
	return n, err
}

// count subtracts p from left, and resets left after each empty line, which
// ends an event. Lines end with \n, \r\n or \r (HTML Living Standard §9.2.5).
func (b *limitedBody) count(p []byte) {
	for len(p) > 0 && b.left >= 0 {
		n := bytes.IndexAny(p, "\r\n")
		if n < 0 {
			n = len(p)
		}
		if n > 0 { // the line has text
			b.inLine, b.cr = true, false
			b.left -= int64(n)
			p = p[n:]
			continue
		}
		b.left--
		if half := b.cr && p[0] == '\n'; !half && !b.inLine {
			b.left = b.err.Limit
		}
		b.inLine, b.cr = false, p[0] == '\r'
		p = p[1:]
	}
}
