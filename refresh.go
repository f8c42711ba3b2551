package mcplogin

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/mcp-login/mcp-login/flows"
	"github.com/mcp-login/mcp-login/secrets"
)

const (
	// lockWait limits the wait for another process that holds the lock, shortWait
	// that of a caller whose token is still valid.
	lockWait  = 90 * time.Second
	shortWait = 5 * time.Second
	// exchangeTimeout limits one refresh including the storing of its response.
	// It replaces the caller's context: a rotated token must not be lost
	// because the caller gives up.
	exchangeTimeout = 45 * time.Second
	// winnerWait is how long a process whose refresh token was rejected waits
	// for the token that another process may be storing.
	winnerWait = 5 * time.Second
	// retryDelay is the time after a failed refresh before Fresh starts another
	// one.
	retryDelay = 2 * time.Second
	// minInterval is the minimum interval between refreshes of rejected tokens: an
	// MCP server that rejects a new token would reject the next one too.
	minInterval = 10 * time.Second
	// stillValid is the remaining lifetime that a token needs to be used while
	// its refresh is in flight.
	stillValid = 10 * time.Second
	// Temporary failures are retried with exponential backoff between these two
	// delays.
	minBackoff = 10 * time.Millisecond
	maxBackoff = 2 * time.Second
)

// sleep waits for the backoff with jitter, so that concurrent processes do not
// retry at the same time.
func sleep(ctx context.Context, backoff time.Duration) error {
	select {
	case <-time.After(backoff/2 + rand.N(backoff/2)):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// renew returns a credential whose token is valid and not the rejected one ("":
// none was rejected). Of all concurrent goroutines, processes and hosts, one
// does the exchange; the others read its result.
func (s *Session) renew(ctx context.Context, rejected string) (Credential, error) {
	if rejected == "" && s.cfg.Renewal.MaxWait > 0 {
		return s.renewWithin(ctx)
	}
	if err := s.sem.Acquire(ctx); err != nil {
		return Credential{}, err
	}
	defer s.sem.Release()
	return s.source.current(ctx, rejected)
}

// call is a shared call (as in singleflight): a renewal in flight that
// continues even if its callers stop waiting.
type call struct {
	stale string        // the access token to replace; "": the stored one if it is due
	done  chan struct{} // closed when c and err are set
	c     Credential
	err   error
}

// renewWithin is renew, but waits no longer than MaxWait if a token is
// available to fall back on.
func (s *Session) renewWithin(ctx context.Context) (Credential, error) {
	f := s.sharedCall(ctx, "")
	timeout := time.After(s.cfg.Renewal.MaxWait)
	for {
		select {
		case <-f.done:
			return f.c, f.err
		case <-ctx.Done():
			return Credential{}, ctx.Err()
		case <-timeout:
			if c, ok := s.source.fallback(ctx); ok {
				s.log.Warn("the refresh is still in progress; the old token is still valid", "profile", c.Profile, "expires_at", c.Token.Expiry)
				return c, nil
			}
		}
	}
}

// sharedCall returns the renewal of a token that is in flight, or starts one. A caller that
// names the stale token also shares a call that failed less than retryDelay ago.
func (s *Session) sharedCall(ctx context.Context, stale string) *call {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.inFlight != nil && s.inFlight.stale == stale {
		return s.inFlight
	}
	f := &call{stale: stale, done: make(chan struct{})}
	if stale != "" && s.failure != nil && time.Since(s.tried) < retryDelay {
		f.err = s.failure
		close(f.done)
		return f
	}
	s.inFlight = f
	s.calls.Go(func() {
		ctx := context.WithoutCancel(ctx)
		_ = s.sem.Acquire(ctx) // it cannot fail: ctx never ends
		f.c, f.err = s.source.current(ctx, stale)
		s.sem.Release()
		s.mu.Lock()
		if s.inFlight == f {
			s.inFlight = nil
		}
		s.mu.Unlock()
		close(f.done)
	})
	return f
}

// current implements source: the stored credential, renewed if it is due.
func (s stored) current(ctx context.Context, rejected string) (Credential, error) {
	c, err := s.accepted(ctx)
	if err != nil {
		return Credential{}, err
	}
	if !s.due(c, rejected) {
		s.cache(c)
		return c, nil
	}
	renewed, err := s.exchangeLocked(ctx, c, rejected)
	if err == nil {
		err = s.cfg.Trust.acceptIssuer(renewed) // another process may have replaced the record
	}
	s.ended(ctx, c, renewed, err)
	if err == nil {
		s.cache(renewed)
		return renewed, nil
	}
	if c.Valid(0) && rejected == "" {
		s.log.Warn("the token could not be refreshed; the old one is still valid", "profile", c.Profile, "expires_at", c.Token.Expiry, "error", err)
		return c, nil
	}
	return Credential{}, err
}

// ended records the result of a refresh, unless it was canceled, and reports it
// to Renewal.Done.
func (s *Session) ended(ctx context.Context, old, renewed Credential, err error) {
	if ctx.Err() == nil {
		s.mu.Lock()
		s.failure, s.tried = err, time.Now()
		s.mu.Unlock()
	}
	if s.cfg.Renewal.Done == nil {
		return
	}
	if err != nil {
		renewed = old
	}
	s.cfg.Renewal.Done(renewed, err)
}

// due reports whether the credential's token must be replaced.
func (s *Session) due(c Credential, rejected string) bool {
	return !s.fresh(&c) || c.Token.Access == rejected
}

// fresh reports whether the token has enough remaining lifetime for
// Config.MinTTL.
func (s *Session) fresh(c *Credential) bool { return c.freshFor(s.cfg.MinTTL) }

// freshFor reports whether the token has enough remaining lifetime for minTTL.
func (c *Credential) freshFor(minTTL time.Duration) bool { return c.Valid(c.requiredTTL(minTTL)) }

// requiredTTL returns minTTL, or a quarter of the token's lifetime where the server
// issues tokens for not much more than minTTL.
func (c *Credential) requiredTTL(minTTL time.Duration) time.Duration {
	lifetime := c.Lifetime()
	if minTTL > lifetime-lifetime/10 {
		return lifetime / 4
	}
	return minTTL
}

// exchangeLocked takes the profile's lock and refreshes, unless another process
// has done so in the meantime. The lock protects the refresh token: if two
// processes use one rotating token, the server revokes the whole token family
// (RFC 9700 §4.14.2).
func (s *Session) exchangeLocked(ctx context.Context, c Credential, rejected string) (Credential, error) {
	if err := s.renewable(c); err != nil {
		return Credential{}, err
	}
	limit := lockWait
	if rejected == "" && c.Valid(stillValid) {
		limit = shortWait
	}
	wait, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	unlock, err := s.store.Lock(wait, s.cfg.Profile)
	if err != nil {
		return Credential{}, fmt.Errorf("wait for another refresh of %q: %w", s.cfg.Profile, err)
	}
	defer unlock()
	x, begun, err := s.beginDue(wait, c.Token.Access, rejected)
	if err != nil || !begun {
		return x.c, err
	}
	return x.do(ctx)
}

// beginDue reads the record under the lock and begins a refresh, unless the record has
// a newer token than the one seen before.
func (s *Session) beginDue(ctx context.Context, seen, rejected string) (x exchange, begun bool, err error) {
	for backoff := minBackoff; ; backoff = min(2*backoff, maxBackoff) {
		x = exchange{Session: s}
		x.c, x.v, err = s.read(ctx)
		if err == nil {
			err = s.cfg.Trust.acceptIssuer(x.c)
		}
		if err != nil || !s.due(x.c, rejected) {
			return x, false, err
		}
		if x.c.Token.Access != seen && x.c.Valid(0) {
			return x, false, nil // a new token of this server lives no longer
		}
		if err := s.renewable(x.c); err != nil {
			return exchange{}, false, err
		}
		x.interruptedAt = x.c.RefreshBegunAt
		if err = x.noteBegun(ctx); !errors.Is(err, secrets.ErrConflict) {
			return x, true, err
		}
		// Conflicts are possible under the lock: a login does not always wait
		// for it, and a lease can expire.
		if sleep(ctx, backoff) != nil {
			return exchange{}, false, fmt.Errorf("%w: credential %q keeps changing", secrets.ErrTemporary, x.c.Profile)
		}
	}
}

// renewable returns nil if the session can get a token without the user.
func (s *Session) renewable(c Credential) error {
	switch {
	case s.nonInteractive(c) != nil:
		return nil
	case c.isRefused():
		return c.loginRequired(c.Refused)
	case c.Token.Refresh == "":
		return c.loginRequired("the server issued no refresh token")
	}
	return nil
}

// nonInteractive returns the flow that got the credential if it is
// non-interactive, else nil.
func (s *Session) nonInteractive(c Credential) flows.NonInteractive {
	i := slices.IndexFunc(s.cfg.Renewal.Flows, func(f flows.Flow) bool { return f.Name() == c.Flow })
	if i < 0 {
		return nil
	}
	u, _ := s.cfg.Renewal.Flows[i].(flows.NonInteractive)
	return u
}

// noteBegun records that a refresh begins, so that an interrupted one can be
// explained later. It also verifies that the store is writable.
func (x *exchange) noteBegun(ctx context.Context) (err error) {
	x.c.RefreshBegunAt = time.Now().UTC().Truncate(time.Second)
	x.v, err = x.write(ctx, x.c, x.v)
	return err
}

// refusalLifetime is how long a rejection that may not be permanent is remembered in
// the record, so that each caller does not repeat the request.
const refusalLifetime = 10 * time.Minute

// isRefused reports whether a refresh is pointless: the server rejected one
// permanently, or less than refusalLifetime ago.
func (c Credential) isRefused() bool {
	return c.Refused != "" && (c.RefusedAt.IsZero() || time.Since(c.RefusedAt).Abs() < refusalLifetime)
}

// saveFailure stores the result of a failed refresh. It is best effort.
func (s *Session) saveFailure(ctx context.Context, c Credential, v secrets.Version) {
	if _, err := s.write(ctx, c, v); err != nil {
		s.log.Warn("cannot record the failed refresh", "profile", c.Profile, "error", err)
	}
}
