package agentd

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/internal/printable"
	"github.com/mcp-login/mcp-login/oauth"
)

const (
	// A token is refreshed after a fraction of its lifetime between earliest and
	// earliest + jitter, so that tokens issued together are not refreshed
	// together.
	earliest = 0.5
	jitter   = 0.25
	// 1/reserve of the lifetime is left when a token is refreshed at the latest.
	reserve = 4
	// After the nth consecutive failure the retry delay is at most firstPause * 2^n,
	// and at most maxPause unless the server requests more.
	firstPause = 2 * time.Second
	maxPause   = 2 * time.Minute
	// idle is how often a record is read that the agent cannot refresh: the user may
	// have signed in, or another process may have replaced it.
	idle = 5 * time.Minute
)

// profile is a profile that the agent keeps. Agent.mu guards the fields after
// session.
type profile struct {
	name    string
	opening sync.Mutex        // guards session, which is readable after a call of open
	session *mcplogin.Session // nil: not yet opened

	at    time.Time // when it is due next, by the wall clock
	index int       // in the schedule, or unplanned
	busy  bool      // out of the schedule, because a worker has it
	fresh bool      // refreshed, but not yet recorded
	known
}

// known is the state of a profile, as of its last read.
type known struct {
	renewAt time.Time // when last.Token is to be refreshed; zero: never
	last    mcplogin.Credential
	suspect bool // the clock was set back: expiries cannot be trusted
	err     error
	faults  int // in a row
}

// work refreshes a profile if it is due, and schedules the next time.
func (a *Agent) work(ctx context.Context, p *profile) {
	c, err := a.stored(ctx, p)
	if err == nil && a.mustRenew(p, c) {
		c, err = p.renewed(ctx, c)
	}
	if a.release(p) && ctx.Err() == nil {
		a.note(p, c, err)
	}
}

// renewed refreshes the profile's token, regardless of its remaining lifetime.
// With an error it returns old.
func (p *profile) renewed(ctx context.Context, old mcplogin.Credential) (mcplogin.Credential, error) {
	c, err := p.session.Refresh(ctx)
	if err != nil {
		return old, err
	}
	return c, nil
}

// release marks the profile as not busy and reports whether it still exists: a
// reload may have dropped it.
func (a *Agent) release(p *profile) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	p.busy = false
	return a.profiles[p.name] == p
}

// mustRenew reports whether the stored token is due for a refresh. A token that
// another process has just stored is not due, nor is that of a profile that a
// reload has dropped or reopened.
func (a *Agent) mustRenew(p *profile, c mcplogin.Credential) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.profiles[p.name] != p {
		return false
	}
	if p.suspect || !c.Valid(reserved(c)) {
		return true
	}
	return c.Token.Access == p.last.Token.Access && !p.renewAt.IsZero() && !time.Now().Round(0).Before(p.renewAt)
}

// refreshed is the Renewal.Done of the profile's session.
func (a *Agent) refreshed(p *profile, c mcplogin.Credential, err error) {
	a.metrics.refresh(err)
	a.mu.Lock()
	busy := p.busy
	p.fresh = err == nil
	a.mu.Unlock()
	if !busy { // else work notes it
		a.note(p, c, err)
	}
}

// note records the state of a profile, schedules the next time, and logs what has
// changed.
func (a *Agent) note(p *profile, c mcplogin.Credential, err error) {
	log := a.noted(p, c, err)
	a.wakeScheduler()
	a.signalSinks(p.name)
	log(a.log.With("profile", p.name))
}

// noted is note without writing the log, because a blocked terminal must not
// block a.mu.
func (a *Agent) noted(p *profile, c mcplogin.Credential, err error) (log func(*slog.Logger)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Now()
	switch {
	case err == nil:
		isNew := c.Token.Access != p.last.Token.Access
		if isNew {
			p.suspect = false
		}
		p.last, p.err, p.faults = c, nil, 0
		p.renewAt = renewal(c, now)
		a.due.plan(p, nextLook(p.renewAt, now))
		return p.event(isNew)
	case errors.Is(err, mcplogin.ErrLoginRequired):
		known := p.err != nil
		p.last, p.err, p.faults = c, err, 0
		a.due.plan(p, now.Add(idle))
		return func(l *slog.Logger) {
			if !known {
				l.Warn("a sign-in is required", "error", err)
			}
		}
	}
	p.err = err
	p.faults++
	faults, wait := p.faults, pause(p.faults, err)
	a.due.plan(p, now.Add(wait))
	return func(l *slog.Logger) {
		l.Warn("not refreshed", "faults", faults, "again_in", printable.Duration(wait), "error", err)
	}
}

// event returns the log entry for a valid token: refreshed, or found in the store.
func (p *profile) event(isNew bool) (log func(*slog.Logger)) {
	message := "keeping"
	if p.fresh {
		message = "refreshed"
	}
	silent := !isNew && !p.fresh
	p.fresh = false
	expiry, next := p.last.Token.Expiry, p.renewAt
	return func(l *slog.Logger) {
		if !silent {
			l.Info(message, "expires_at", expiry, "next_refresh", next)
		}
	}
}

// renewal returns when to refresh a token: at a random fraction of its lifetime.
// If that has passed, for example after a suspend, it returns a time within the
// remaining lifetime.
func renewal(c mcplogin.Credential, now time.Time) time.Time {
	if c.Token.Expiry.IsZero() {
		return time.Time{}
	}
	at := c.Token.Expiry.Add(-time.Duration((1 - earliest - jitter*rand.Float64()) * float64(c.Lifetime())))
	if left := c.Token.Expiry.Sub(now); !at.After(now) && left > 0 {
		return now.Add(time.Duration(rand.Float64() / reserve * float64(left))).Round(0)
	}
	return at.Round(0)
}

func nextLook(renewAt, now time.Time) time.Time {
	if renewAt.IsZero() {
		return now.Add(idle)
	}
	return renewAt
}

// reserved is the lifetime that a token has left when the schedule refreshes it at
// the latest. A request may get one with less.
func reserved(c mcplogin.Credential) time.Duration { return c.Lifetime() / reserve }

// pause returns the retry delay: exponential backoff with jitter, or what the
// server requests (RFC 9110 §10.2.3).
func pause(faults int, err error) time.Duration {
	d := maxPause
	if n := faults - 1; n < 6 {
		d = min(firstPause<<n, maxPause)
	}
	d = d/2 + rand.N(d/2)
	if e, ok := errors.AsType[*oauth.Error](err); ok {
		d = max(d, e.RetryAfter)
	}
	return d
}

func (a *Agent) snapshot(p *profile) known {
	a.mu.Lock()
	defer a.mu.Unlock()
	return p.known
}
