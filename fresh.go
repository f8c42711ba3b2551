package mcplogin

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/mcp-login/mcp-login/secrets"
)

// ErrJustRefreshed: the rejected token was refreshed moments ago, so another
// refresh would not help.
var ErrJustRefreshed = errors.New("the token was just refreshed")

// errRefreshing means that the caller stopped waiting for a refresh that is
// still in flight.
var errRefreshing = fmt.Errorf("%w: the refresh is still in progress", secrets.ErrTemporary)

// Need is what a caller requires of a token.
type Need struct {
	// MinTTL is the remaining lifetime that the token must have, if longer than
	// Config.MinTTL.
	MinTTL time.Duration
	// Rejected means that the MCP server rejected the token.
	Rejected bool
}

// Fresh returns c, a result of Accepted, if it satisfies need, else a renewed
// credential. It is for a program that issues tokens to many clients: concurrent
// callers share one refresh, and wait for it no longer than Renewal.MaxWait
// while c is still valid. A failed refresh is not repeated within 2 s, nor one
// of a rejected token within 10 s (ErrJustRefreshed). If the refresh fails, a
// token that is still valid is returned. With an error, Fresh returns c.
func (s *Session) Fresh(ctx context.Context, c Credential, need Need) (Credential, error) {
	since, failure := s.lastRefresh()
	switch {
	case need.Rejected && failure == nil && since < minInterval:
		return c, ErrJustRefreshed
	case !need.Rejected && c.freshFor(max(need.MinTTL, s.cfg.MinTTL)):
		return c, nil
	}
	usable := func(ttl time.Duration) bool { return !need.Rejected && c.Valid(ttl) }
	renewed, err := s.replace(ctx, c, usable(stillValid))
	if err == nil {
		return renewed, nil
	}
	if usable(0) && ctx.Err() == nil {
		return c, nil
	}
	return c, err
}

// lastRefresh returns the time since the last refresh ended, and its error.
func (s *Session) lastRefresh() (since time.Duration, failure error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Since(s.tried), s.failure
}

// replace waits for the refresh of c, but no longer than MaxWait if c is usable. Within
// retryDelay after a failed refresh, it returns that error.
func (s *Session) replace(ctx context.Context, c Credential, usable bool) (Credential, error) {
	f := s.sharedCall(ctx, c.Token.Access)
	var timeout <-chan time.Time
	if usable && s.cfg.Renewal.MaxWait > 0 {
		timeout = time.After(s.cfg.Renewal.MaxWait)
	}
	select {
	case <-f.done:
		return f.c, f.err
	case <-timeout:
		return c, errRefreshing
	case <-ctx.Done():
		return c, ctx.Err()
	}
}

// Wait waits for refreshes that are still in flight after their callers stopped
// waiting. A program that sets Renewal.MaxWait or calls Fresh must call Wait
// before it exits: otherwise a rotated refresh token may be lost.
func (s *Session) Wait() { s.calls.Wait() }
