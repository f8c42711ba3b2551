package agent

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/mcp-login/mcp-login/oauth"
	"github.com/mcp-login/mcp-login/secrets"
)

const (
	// healthTimeout limits a health request.
	healthTimeout = 10 * time.Second
	// stopTimeout is how long an agent may take to exit: a refresh in flight may take 45
	// s, and its response must be stored.
	stopTimeout = time.Minute
)

// Health returns the health of the agent and its profiles. The error is
// ErrNotRunning if no agent is running. All text in it comes from the agent.
func (c *Client) Health(ctx context.Context) (h Health, err error) {
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	body, status, err := c.get(ctx, HealthPath)
	if err != nil {
		return h, err
	}
	if status != http.StatusOK {
		return h, errorResponse("", status, body)
	}
	if json.Unmarshal(body, &h) != nil || h.Status == "" {
		return h, badResponse("the answer is not a health report")
	}
	for name, s := range h.Profiles {
		if secrets.CheckName(name) != nil {
			return h, badResponse("the answer contains an invalid name")
		}
		s.State, s.Error = oauth.Sanitize(s.State, maxMessage), oauth.Sanitize(s.Error, maxMessage)
		h.Profiles[name] = s
	}
	return h, nil
}

// Stop stops the agent and returns when its process has exited, after requests
// and refreshes in flight are complete. A limited socket rejects it (ErrDenied).
func (c *Client) Stop(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, stopTimeout)
	defer cancel()
	resp, err := c.send(ctx, http.MethodPost, StopPath)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	// The agent keeps the response open until its process exits.
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxResponse))
	switch {
	case resp.StatusCode == http.StatusMethodNotAllowed:
		return &Error{Code: CodeFailed, Message: "this agent is too old to be stopped by its socket"}
	case resp.StatusCode != http.StatusOK:
		return errorResponse("", resp.StatusCode, body)
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return &dialError{"the agent at " + c.Socket + " has not ended yet", errors.New("timed out"), secrets.ErrTemporary, false}
	case err != nil && !isClosed(err):
		return c.connectionError(ctx, err)
	}
	return nil
}
