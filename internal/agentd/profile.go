package agentd

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/oauth"
)

const (
	// A token is refreshed when between earliest and earliest + jitter of its
	// life are over, so that those got together are not refreshed together.
	earliest = 0.5
	jitter   = 0.25
	// reserve is the part of a token's life that one handed out has left at
	// least, where MinTTL would be more: else short-lived tokens were refreshed
	// for each request.
	reserve = 4
	// After the nth fault in a row the next try comes after firstPause * 2^n at
	// most, and never later than maxPause unless the server asks for that.
	firstPause = 2 * time.Second
	maxPause   = 2 * time.Minute
	// idle is how often a record is read that nothing can be done for: a person
	// may have logged in, or another process may have replaced it.
	idle = 5 * time.Minute
)

// profile is one that the agent keeps. Agent.mu guards what follows minTTL.
type profile struct {
	name    string
	opening sync.Mutex        // guards the next two; who has called open may read them
	session *mcplogin.Session // nil: not yet opened
	minTTL  time.Duration

	at     time.Time // when it is looked at next, by the wall clock
	index  int       // in the schedule, or unplanned
	busy   bool      // taken out of the schedule, to be worked on
	flight *flight   // a refresh that requests wait for; nil: none is under way
	known
}

// known is what the agent knows of a profile.
type known struct {
	renewAt time.Time // when last.Token is to be refreshed; zero: never
	last    mcplogin.Credential
	suspect bool // the clock was set back: expiries cannot be trusted
	err     error
	faults  int // in a row

	failure error     // of the last refresh; nil: it succeeded
	tried   time.Time // when that was
}

// work does what is due for a profile, and plans the next look.
func (a *Agent) work(ctx context.Context, p *profile) {
	c, err := a.stored(ctx, p)
	if err == nil && a.mustRenew(p, c) {
		c, err = a.renew(ctx, p, c)
	}
	if a.release(p) && ctx.Err() == nil {
		a.note(p, c, err)
	}
}

// release ends the work on a profile and reports whether it is still kept: a
// reload may have dropped it.
func (a *Agent) release(p *profile) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	p.busy = false
	return a.profiles[p.name] == p
}

// mustRenew reports whether the stored token has had its time. One that
// another process has stored since has not, nor has that of a profile that a
// reload has dropped or opened anew since.
func (a *Agent) mustRenew(p *profile, c mcplogin.Credential) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.profiles[p.name] != p {
		return false
	}
	if p.suspect || !c.Valid(p.least(c, 0)) {
		return true
	}
	return c.Token.Access == p.last.Token.Access && !p.renewAt.IsZero() && !time.Now().Round(0).Before(p.renewAt)
}

// renew refreshes old and reads what came of it. With an error it returns old.
func (a *Agent) renew(ctx context.Context, p *profile, old mcplogin.Credential) (mcplogin.Credential, error) {
	_, err := p.session.Refresh(ctx)
	a.metrics.refresh(err)
	a.tried(ctx, p, err)
	if err != nil {
		return old, err
	}
	c, err := p.session.Accepted(ctx)
	if err == nil {
		a.log.Info("refreshed", "profile", p.name, "expires_at", c.Token.Expiry)
	}
	return c, err
}

// tried remembers how a refresh ended, unless who asked for it has gone.
func (a *Agent) tried(ctx context.Context, p *profile, err error) {
	if ctx.Err() != nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	p.failure, p.tried = err, time.Now()
}

// note remembers what is known of a profile now and plans the next look.
func (a *Agent) note(p *profile, c mcplogin.Credential, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Now()
	switch {
	case err == nil:
		if c.Token.Access != p.last.Token.Access {
			p.suspect = false
		}
		p.last, p.err, p.faults = c, nil, 0
		p.renewAt = renewal(c, now)
		a.due.plan(p, nextLook(p.renewAt, now))
	case errors.Is(err, mcplogin.ErrLoginRequired):
		if p.err == nil {
			a.log.Warn("a person must log in", "profile", p.name, "error", err)
		}
		p.last, p.err, p.faults = c, err, 0
		a.due.plan(p, now.Add(idle))
	default:
		p.err = err
		p.faults++
		wait := pause(p.faults, err)
		a.log.Warn("not refreshed", "profile", p.name, "faults", p.faults, "again_in", wait.String(), "error", err)
		a.due.plan(p, now.Add(wait))
	}
	a.poke()
}

// renewal returns when a token is to be refreshed: at some fraction of its
// life. One whose time that was already, after a night's sleep say, is
// refreshed within what is left of it.
func renewal(c mcplogin.Credential, now time.Time) time.Time {
	if c.Token.Expiry.IsZero() {
		return time.Time{}
	}
	at := c.Token.Expiry.Add(-time.Duration((1 - earliest - jitter*rand.Float64()) * float64(life(c))))
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

// life is for how long the token was given.
func life(c mcplogin.Credential) time.Duration {
	return max(c.Token.Expiry.Sub(c.GivenAt()), 0)
}

// least is the life that the token must have left to be handed out, where
// somebody asks for minTTL (0: nothing).
func (p *profile) least(c mcplogin.Credential, minTTL time.Duration) time.Duration {
	return min(max(minTTL, p.minTTL), life(c)/reserve)
}

// pause is exponential back-off with full jitter in its upper half, or what the
// server asks for (RFC 9110 §10.2.3).
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
