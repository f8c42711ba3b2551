package mcpprobe

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/mcp-login/mcp-login/internal/eventstream"
	"github.com/mcp-login/mcp-login/internal/mcpwire"
)

// minPause is the minimum wait before a stream is resumed, whatever the server asks for.
const minPause = 100 * time.Millisecond

// follow reads a request's stream up to the answer. A server that gives its events ids may
// end the stream before, and answer on the next one (SEP-1699).
func (c *client) follow(ctx context.Context, resp *http.Response, id json.RawMessage) (message, error) {
	var at eventstream.Cursor
	for {
		m, err := c.read(ctx, resp.Body, &at, id)
		resp.Body.Close()
		switch {
		case !errors.Is(err, io.EOF):
			return m, err
		case at.ID == "":
			return m, unusable("a stream that ends without the answer")
		}
		if resp, err = c.resume(ctx, at); err != nil {
			return m, err
		}
	}
}

// read reads a stream up to the answer. It replies to requests of the server.
func (c *client) read(ctx context.Context, body io.Reader, at *eventstream.Cursor, id json.RawMessage) (message, error) {
	data := &eventstream.Buffer{Limit: maxMessage}
	events := eventstream.NewReader(body, maxMessage, data, at)
	for {
		name, err := events.Next()
		switch {
		case err != nil:
			return message{}, fmt.Errorf("read the answer: %w", err)
		case len(data.Bytes) == 0 || name != "" && name != "message":
			continue
		}
		m, err := parse(data.Bytes)
		switch {
		case err != nil, m.answers(id):
			return m, err
		case m.Method != "" && m.ID != nil:
			if err := c.reply(ctx, m); err != nil {
				return m, err
			}
		}
	}
}

// resume opens a stream again after its last event.
func (c *client) resume(ctx context.Context, at eventstream.Cursor) (*http.Response, error) {
	select {
	case <-time.After(max(at.Retry, minPause)):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.server, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", mcpwire.TypeEvents)
	req.Header.Set(mcpwire.HeaderResume, at.ID)
	resp, err := c.send(req)
	if err != nil {
		return nil, err
	}
	if err = refused(resp); err == nil && mcpwire.MediaType(resp) != mcpwire.TypeEvents {
		err = unusable("HTTP %d without a stream", resp.StatusCode)
	}
	if err != nil {
		resp.Body.Close()
	}
	return resp, err
}
