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
	// healthTime limits a request for the agent's health.
	healthTime = 10 * time.Second
	// stopTime is how long an agent may take to end: a refresh that has begun may take
	// 45 s, and its answer must be stored.
	stopTime = time.Minute
)

// Health describes the agent and what it keeps. The error is ErrNotRunning where no
// agent runs. All text in it comes from the agent.
func (c *Client) Health(ctx context.Context) (h Health, err error) {
	ctx, cancel := context.WithTimeout(ctx, healthTime)
	defer cancel()
	body, status, err := c.get(ctx, HealthPath)
	if err != nil {
		return h, err
	}
	if status != http.StatusOK {
		return h, refusal("", status, body)
	}
	if json.Unmarshal(body, &h) != nil || h.Status == "" {
		return h, unusable("the answer is not a health report")
	}
	for name, s := range h.Profiles {
		if secrets.CheckName(name) != nil {
			return h, unusable("the answer contains an invalid name")
		}
		s.State, s.Error = oauth.Sanitize(s.State, maxMessage), oauth.Sanitize(s.Error, maxMessage)
		h.Profiles[name] = s
	}
	return h, nil
}

// Stop asks the agent to end, and returns when its process has ended: when the
// requests and refreshes that had begun are complete. A limited socket refuses it
// (ErrDenied).
func (c *Client) Stop(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, stopTime)
	defer cancel()
	resp, err := c.send(ctx, http.MethodPost, StopPath)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	// The agent leaves the answer open. Its end is the end of the process.
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	switch {
	case resp.StatusCode == http.StatusMethodNotAllowed:
		return &Error{Code: CodeFailed, Message: "this agent is too old to be stopped by its socket"}
	case resp.StatusCode != http.StatusOK:
		return refusal("", resp.StatusCode, body)
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return &dialError{"the agent at " + c.Socket + " has not ended yet", errors.New("timed out"), secrets.ErrTemporary, false}
	case err != nil && !hungUp(err):
		return c.lost(ctx, err)
	}
	return nil
}
