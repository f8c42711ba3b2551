package oauth

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"mime"
	"net/http"
)

// limitKey carries the limit of an answer.
type limitKey struct{}

// WithMessageLimit returns a context whose requests, sent through a guarded
// client, are answered by messages of up to limit bytes: by one document of that
// length, or by an event stream of any length whose events are no longer.
// Lengths are counted after decompression. A limit that ctx already has stays.
func WithMessageLimit(ctx context.Context, limit int64) context.Context {
	if ctx.Value(limitKey{}) != nil {
		return ctx
	}
	return context.WithValue(ctx, limitKey{}, limit)
}

// TooLongError says that a server sent more than is read. It is an ErrAnswer.
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

// limitBody bounds what can be read of an answer: of a stream of events each
// event, else the whole. An http.Transport has decompressed the body by now.
func limitBody(resp *http.Response) {
	if resp.Body == nil || resp.Body == http.NoBody {
		return
	}
	limit, asked := resp.Request.Context().Value(limitKey{}).(int64)
	if !asked {
		limit = maxBody
	}
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	resp.Body = &limitedBody{
		ReadCloser: resp.Body, left: limit, events: asked && kind == "text/event-stream",
		err: TooLongError{URL: displayURL(resp.Request.URL), Limit: limit},
	}
}

// limitedBody fails once more was read than the limit allows.
type limitedBody struct {
	io.ReadCloser
	err    TooLongError // with the limit
	left   int64        // of the limit
	events bool         // the limit is one for each event
	inLine bool         // of a stream: the line under way is not empty so far
	failed bool
}

func (b *limitedBody) Read(p []byte) (int, error) {
	if b.failed {
		return 0, &b.err
	}
	if !b.events && int64(len(p)) > b.left {
		p = p[:b.left+1] // one byte more shows that there is more
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

// count looks for the empty lines that end events.
func (b *limitedBody) count(p []byte) {
	for len(p) > 0 && b.left >= 0 {
		line, rest, ended := bytes.Cut(p, []byte("\n"))
		b.left -= int64(len(p) - len(rest))
		b.inLine = b.inLine || len(bytes.TrimSuffix(line, []byte("\r"))) > 0
		if ended && !b.inLine {
			b.left = b.err.Limit
		}
		b.inLine = b.inLine && !ended
		p = rest
	}
}
