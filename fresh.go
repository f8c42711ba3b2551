package mcplogin

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/mcp-login/mcp-login/secrets"
)

// ErrJustRefreshed: the rejected token was refreshed a moment ago, so that the
// next one would be rejected too.
var ErrJustRefreshed = errors.New("the token was just refreshed")

// errRefreshing means that the refresh goes on after its caller stopped waiting.
var errRefreshing = fmt.Errorf("%w: the refresh is still in progress", secrets.ErrTemporary)

// Need is what one caller needs of a token.
type Need struct {
	// MinTTL is the lifetime that it must have left, where that is more than
	// Config.MinTTL.
	MinTTL time.Duration
	// Rejected says that the MCP server rejected it.
	Rejected bool
}

// Fresh returns c, as Accepted returned it, if it is what the caller needs, else
// what replaces it. It is for a program that issues tokens to many callers:
// those that come at once share one refresh, and wait for it no longer than
// Renewal.MaxWait while c is still valid. A refresh that failed is not repeated
// within 2 s, nor one of a rejected token within 10 s (ErrJustRefreshed). Where
// no refresh succeeds, a token that is still valid is returned. With an error it
// returns c.
func (s *Session) Fresh(ctx context.Context, c Credential, need Need) (Credential, error) {
	since, failure := s.lastRefresh()
	switch {
	case need.Rejected && failure == nil && since < minInterval:
		return c, ErrJustRefreshed
	case !need.Rejected && c.freshFor(max(need.MinTTL, s.cfg.MinTTL)):
		return c, nil
	}
	usable := func(ttl time.Duration) bool { return !need.Rejected && c.Valid(ttl) }
	err := failure
	if err == nil || since >= retryDelay {
		var renewed Credential
		if renewed, err = s.replace(ctx, c, usable(stillValid)); err == nil {
			return renewed, nil
		}
	}
	if usable(0) && ctx.Err() == nil {
		return c, nil
	}
	return c, err
}

// lastRefresh returns how long ago the last refresh ended, and how.
func (s *Session) lastRefresh() (since time.Duration, failure error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Since(s.tried), s.failure
}

// replace waits for the refresh of c: to its end, or for MaxWait if c is usable.
func (s *Session) replace(ctx context.Context, c Credential, usable bool) (Credential, error) {
	f := s.sharedCall(ctx, c.Token.Access)
	var enough <-chan time.Time
	if usable && s.cfg.Renewal.MaxWait > 0 {
		enough = time.After(s.cfg.Renewal.MaxWait)
	}
	select {
	case <-f.done:
		return f.c, f.err
	case <-enough:
		return c, errRefreshing
	case <-ctx.Done():
		return c, ctx.Err()
	}
}

// Wait waits until no refresh is in flight whose caller has stopped waiting. A
// program that sets Renewal.MaxWait or calls Fresh does so before it ends: an
// answer that is cut off may be lost.
func (s *Session) Wait() { s.calls.Wait() }
