package proxy

import (
	"bytes"
	"context"
	"fmt"
	"net/http"

	"github.com/mcp-login/mcp-login/internal/buffer"
	"github.com/mcp-login/mcp-login/internal/mcpwire"
)

// maxErrorBody limits how much of an error response is read.
const maxErrorBody = 1 << 20

// post sends a message in the current session. If the server lost that, post starts a new
// session as the client did, and sends the message again.
func (b *bridge) post(ctx context.Context, m message) (*http.Response, error) {
	session := b.conn.sessionID()
	if m.Method == methodInitialize {
		session = ""
	}
	resp, err := b.send(ctx, m, session)
	if err != nil || session == "" || !isSessionLost(resp, m) {
		return resp, err
	}
	resp.Body.Close()
	if err := b.restartSession(ctx, session); err != nil {
		return nil, fmt.Errorf("the server lost the session and starts no new one: %w", err)
	}
	return b.send(ctx, m, b.conn.sessionID())
}

// send sends one POST.
func (b *bridge) send(ctx context.Context, m message, session string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, b.Server, bytes.NewReader(m.text))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", mcpwire.TypeJSON)
	req.Header.Set("Accept", mcpwire.TypeJSON+", "+mcpwire.TypeEvents)
	b.conn.setHeaders(req.Header, m, session)
	return b.client.Do(req)
}

// get opens a stream for what the server sends unprompted, or resumes one.
func (b *bridge) get(ctx context.Context, after string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, b.Server, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", mcpwire.TypeEvents)
	if after != "" {
		req.Header.Set(mcpwire.HeaderResume, after)
	}
	b.conn.setHeaders(req.Header, message{}, b.conn.sessionID())
	return b.client.Do(req)
}

// check returns why a response is an error.
func (b *bridge) check(ctx context.Context, resp *http.Response) error {
	if resp.StatusCode >= 200 && resp.StatusCode < 300 {
		return nil
	}
	buf := buffer.New(buffer.AccountOf(ctx), maxErrorBody)
	defer buf.Reset()
	if mcpwire.MediaType(resp) == mcpwire.TypeJSON {
		_ = buf.ReadFrom(ctx, resp.Body) // treat an unreadable body as no message
	}
	if err := b.refusal(resp); err != nil {
		return err
	}
	if all, err := parseBuffer(ctx, buf); err == nil && len(all) == 1 && all[0].Error != nil {
		return &rpcError{text: all[0].Error}
	}
	return fmt.Errorf("the server answers with %s", status(resp))
}
