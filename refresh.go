package mcplogin

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"time"

	"github.com/mcp-login/mcp-login/flows"
	"github.com/mcp-login/mcp-login/oauth"
	"github.com/mcp-login/mcp-login/secrets"
)

const (
	// lockWait bounds the wait for another process that refreshes, shortWait that
	// of a caller that has a valid token.
	lockWait  = 90 * time.Second
	shortWait = 5 * time.Second
	// exchangeTimeout bounds one refresh and the storing of its answer. It runs
	// on when the caller gives up: a rotated token must not be lost.
	exchangeTimeout = 45 * time.Second
	// winnerWait is how long a rejected holder looks for the token of one that
	// overtook it.
	winnerWait = 5 * time.Second
	// retryDelay is the time after a failed refresh in which Fresh starts no other.
	retryDelay = 2 * time.Second
	// minInterval is the minimum interval between refreshes of rejected tokens: an
	// MCP server that rejects a new token would reject the next one too.
	minInterval = 10 * time.Second
	// stillValid is the lifetime that a token must have left to be used while its
	// refresh goes on.
	stillValid = 10 * time.Second
	// What failed for now is tried again after minPause, and then less and less
	// often.
	minPause = 10 * time.Millisecond
	maxPause = 2 * time.Second
)

// sleep waits for a random part of a pause, so that many do not march in step.
func sleep(ctx context.Context, pause time.Duration) error {
	select {
	case <-time.After(pause/2 + rand.N(pause/2)):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// renew returns a credential whose token is valid and not the rejected one
// ("": none was rejected). Among all goroutines, processes and hosts that ask
// at once one does the exchange; the others read its answer.
func (s *Session) renew(ctx context.Context, rejected string) (Credential, error) {
	if rejected == "" && s.cfg.Renewal.MaxWait > 0 {
		return s.renewWithin(ctx)
	}
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return Credential{}, ctx.Err()
	}
	return s.source.current(ctx, rejected)
}

// call is a renewal in flight, which goes on without those who wait for it.
type call struct {
	stale string        // the access token to replace; "": whatever is due
	done  chan struct{} // closed at the end, when the rest holds
	c     Credential
	err   error
}

// renewWithin is renew, but it waits no longer than MaxWait where there is a
// token to fall back on.
func (s *Session) renewWithin(ctx context.Context) (Credential, error) {
	f := s.sharedCall(ctx, "")
	enough := time.After(s.cfg.Renewal.MaxWait)
	for {
		select {
		case <-f.done:
			return f.c, f.err
		case <-ctx.Done():
			return Credential{}, ctx.Err()
		case <-enough:
			if c, ok := s.source.meanwhile(ctx); ok {
				s.log.Warn("the refresh is still in progress; the old token is still valid", "profile", c.Profile, "expires_at", c.Token.Expiry)
				return c, nil
			}
		}
	}
}

// sharedCall returns the renewal in flight of a token, or begins one.
func (s *Session) sharedCall(ctx context.Context, stale string) *call {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.inFlight != nil && s.inFlight.stale == stale {
		return s.inFlight
	}
	f := &call{stale: stale, done: make(chan struct{})}
	s.inFlight = f
	s.calls.Go(func() {
		s.turn <- struct{}{}
		f.c, f.err = s.source.current(context.WithoutCancel(ctx), stale)
		<-s.turn
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

// ended notes how a refresh of old has ended, unless it was canceled.
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

// fresh reports whether the token has as much lifetime left as is asked of it.
func (s *Session) fresh(c *Credential) bool { return c.freshFor(s.cfg.MinTTL) }

// freshFor reports whether the token has as much lifetime left as minTTL asks of it.
func (c *Credential) freshFor(minTTL time.Duration) bool { return c.Valid(c.asked(minTTL)) }

// asked returns minTTL, or a quarter of the token's lifetime where the server
// issues tokens for not much more than minTTL.
func (c *Credential) asked(minTTL time.Duration) time.Duration {
	lifetime := c.Lifetime()
	if minTTL > lifetime-lifetime/10 {
		return lifetime / 4
	}
	return minTTL
}

// exchangeLocked takes the profile's lock and refreshes, unless somebody else
// did so in the meantime. The lock protects the refresh token: two holders of
// one rotating token get the whole family revoked (RFC 9700 §4.14.2).
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
	now, v, cutOff, err := s.beginDue(wait, c.Token.Access, rejected)
	if err != nil || v == secrets.Absent {
		return now, err
	}
	return s.exchange(ctx, now, v, cutOff)
}

// beginDue reads the record under the lock and begins a refresh, unless there is
// a newer token than the one seen before; the version is then Absent. cutOff is
// when an earlier refresh began that never ended.
func (s *Session) beginDue(ctx context.Context, seen, rejected string) (c Credential, v secrets.Version, cutOff time.Time, err error) {
	for pause := minPause; ; pause = min(2*pause, maxPause) {
		c, v, err = s.read(ctx)
		if err == nil {
			err = s.cfg.Trust.acceptIssuer(c)
		}
		if err != nil || !s.due(c, rejected) {
			return c, secrets.Absent, cutOff, err
		}
		if c.Token.Access != seen && c.Valid(0) {
			return c, secrets.Absent, cutOff, nil // as fresh as this server makes them
		}
		if err := s.renewable(c); err != nil {
			return Credential{}, v, cutOff, err
		}
		cutOff = c.RefreshBegunAt
		begunAt, begun, err := s.begin(ctx, c, v)
		if !errors.Is(err, secrets.ErrConflict) {
			return begun, begunAt, cutOff, err
		}
		// A login does not wait for the lock, and a lease can run out.
		if sleep(ctx, pause) != nil {
			return Credential{}, v, cutOff, fmt.Errorf("%w: credential %q keeps changing", secrets.ErrTemporary, c.Profile)
		}
	}
}

// renewable returns nil if the session can get a token without a person.
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

// nonInteractive returns the flow that got the credential if it can do so again
// without a person, else nil.
func (s *Session) nonInteractive(c Credential) flows.NonInteractive {
	i := slices.IndexFunc(s.cfg.Renewal.Flows, func(f flows.Flow) bool { return f.Name() == c.Flow })
	if i < 0 {
		return nil
	}
	u, _ := s.cfg.Renewal.Flows[i].(flows.NonInteractive)
	return u
}

// begin notes in the record that a refresh begins, so that one which is cut off
// can be explained. It also proves that the store can be written.
func (s *Session) begin(ctx context.Context, c Credential, v secrets.Version) (secrets.Version, Credential, error) {
	c.RefreshBegunAt = time.Now().UTC().Truncate(time.Second)
	v, err := s.write(ctx, c, v)
	return v, c, err
}

// keep stores a new token. The spent refresh token is worth nothing now, so it
// tries for as long as it can.
func (s *Session) keep(ctx context.Context, c Credential, v secrets.Version, spent string) (Credential, error) {
	for pause := minPause; ; pause = min(2*pause, maxPause) {
		_, err := s.write(ctx, c, v)
		if err == nil {
			return c, nil
		}
		if errors.Is(err, secrets.ErrConflict) {
			// A login replaced the record, or a holder overtook this one. Only a
			// record that still waits for this very answer may be overwritten.
			now, nv, rerr := s.read(ctx)
			if rerr == nil && now.Token.Refresh != spent {
				return now, nil
			}
			if rerr == nil {
				v = nv
			}
		}
		if sleep(ctx, pause) != nil {
			return Credential{}, fmt.Errorf("a new token for %q was issued but could not be stored, and the old one can no longer be used: %w", c.Profile, err)
		}
	}
}

// refused decides what a failed exchange means. A fault or an overloaded
// server (RFC 6749 §5.2 knows no such code) says nothing about the refresh
// token, so nothing is changed.
func (s *Session) refused(ctx context.Context, c Credential, v secrets.Version, cutOff time.Time, cause error) (Credential, error) {
	if !s.final(c, cause) {
		if c.Token.Refresh == "" || unspent(cause) {
			c.RefreshBegunAt = cutOff
			s.noted(ctx, c, v)
		}
		return Credential{}, cause
	}
	if now, ok := s.winner(ctx, c, v); ok {
		return now, nil
	}
	c.RefusedAt = time.Time{}
	if c.Token.Refresh != "" && s.nonInteractive(c) != nil {
		s.log.Info("the refresh token is no longer accepted; running the flow again", "profile", c.Profile, "flow", c.Flow, "error", cause)
		return s.rerun(ctx, c, v, cutOff)
	}
	c.Refused = "the server no longer accepts the refresh token"
	switch {
	case !lastWord(cause):
		c.Refused = "the server rejected the refresh"
		c.RefusedAt = time.Now().UTC().Truncate(time.Second)
	case errors.Is(cause, errNoIDToken):
		c.Refused = errNoIDToken.Error()
	case c.Token.Refresh == "":
		c.Refused = "the server rejects the client's credentials"
	case !cutOff.IsZero():
		c.Refused = fmt.Sprintf("the answer to a refresh begun at %s was never stored, and the server no longer accepts the old refresh token", cutOff.Format(time.RFC3339))
	}
	c.ClientRefused = oauth.IsCode(cause, oauth.CodeInvalidClient)
	c.RefreshBegunAt = time.Time{}
	s.noted(ctx, c, v) // else the next caller asks the server again
	return Credential{}, errors.Join(c.loginRequired(c.Refused), cause)
}

// refusalLifetime is how long a refusal that need not be the last word holds for every
// process, so that not each caller asks the server again.
const refusalLifetime = 10 * time.Minute

// isRefused reports whether there is no use in a refresh: the server has refused
// one for good, or a moment ago.
func (c Credential) isRefused() bool {
	return c.Refused != "" && (c.RefusedAt.IsZero() || time.Since(c.RefusedAt).Abs() < refusalLifetime)
}

// noted stores the result of a failed refresh, with best effort.
func (s *Session) noted(ctx context.Context, c Credential, v secrets.Version) {
	if _, err := s.write(ctx, c, v); err != nil {
		s.log.Warn("cannot record the failed refresh", "profile", c.Profile, "error", err)
	}
}

// unspent reports that a refresh token cannot have been spent: the request never
// left, or the server itself refused it. Behind a gateway's error it may be.
func unspent(err error) bool {
	if answer, ok := errors.AsType[*oauth.Error](err); ok {
		return answer.Status < 500
	}
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "dial"
}

// winner looks again once the server refused: a holder that overtook this one
// has spent the same refresh token, and stores its answer in a moment.
func (s *Session) winner(ctx context.Context, c Credential, v secrets.Version) (Credential, bool) {
	ctx, cancel := context.WithTimeout(ctx, winnerWait)
	defer cancel()
	for {
		now, nv, err := s.read(ctx)
		if err != nil || nv == v {
			return Credential{}, false
		}
		if now.Token.Refresh != c.Token.Refresh && now.Valid(0) {
			return now, true
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			return Credential{}, false
		}
	}
}
