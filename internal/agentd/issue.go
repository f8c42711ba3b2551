package agentd

import (
	"context"
	"errors"
	"fmt"
	"time"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/agent"
	"github.com/mcp-login/mcp-login/secrets"
)

const (
	// retryDelay is the time after a failed refresh in which requests start no
	// other.
	retryDelay = 2 * time.Second
	// refreshTimeout is how long a request waits for a refresh while the old token
	// has minRemaining left.
	refreshTimeout = 5 * time.Second
	minRemaining   = 10 * time.Second
	// minInterval is the minimum interval between refreshes of rejected tokens: an
	// MCP server that rejects a new token would reject the next one too.
	minInterval = 10 * time.Second
)

// errJustRefreshed answers a request that rejects a new token.
var errJustRefreshed = errors.New("the token was refreshed a moment ago")

// errRefreshing means that the refresh continues after the request timed out.
var errRefreshing = fmt.Errorf("%w: the refresh is still running", secrets.ErrTemporary)

// call is an in-flight refresh that requests share, as in singleflight.
type call struct {
	done chan struct{} // closed when the other fields are set
	c    mcplogin.Credential
	err  error
}

// credential returns a credential to issue now. Its token has enough lifetime
// left, and is refreshed if necessary. The record is read each time, so that a
// logout takes effect at once.
func (a *Agent) credential(ctx context.Context, p *profile, want tokenRequest) (mcplogin.Credential, error) {
	a.look()
	if a.kept(p.name) == nil { // dropped by a reload, perhaps while a person was asked to confirm
		return mcplogin.Credential{}, notKept(p.name)
	}
	c, err := a.stored(ctx, p)
	known := a.snapshot(p)
	switch {
	case storeOut(err) && !known.suspect && known.last.Valid(p.requiredTTL(known.last, 0)) && !want.rejects(known.last):
		a.log.Warn("the store cannot be read, the token in memory is still valid", "profile", p.name, "error", err)
		return known.last, nil
	case err != nil:
		a.learn(ctx, p, c, err)
		return c, err
	case want.rejects(c) && known.isNew():
		return c, errJustRefreshed
	case !known.suspect && c.Valid(p.requiredTTL(c, want.minTTL)) && !want.rejects(c):
		a.learn(ctx, p, c, nil)
		return c, nil
	}
	usable := func(ttl time.Duration) bool { return !known.suspect && c.Valid(ttl) && !want.rejects(c) }
	err = known.failure
	if err == nil || time.Since(known.tried) >= retryDelay {
		var renewed mcplogin.Credential
		if renewed, err = a.awaitRefresh(ctx, p, c, usable(minRemaining)); err == nil {
			return renewed, nil
		}
	}
	if usable(0) && ctx.Err() == nil {
		return c, nil // the refresh failed, or is still running
	}
	return c, err
}

// notKept answers a request for a profile that the agent does not keep.
func notKept(name string) error {
	return &mcplogin.LoginRequiredError{Profile: name, Reason: "the agent keeps no credential of that name"}
}

// awaitRefresh waits for the refresh of old: to its end, or up to refreshTimeout
// if old is usable.
func (a *Agent) awaitRefresh(ctx context.Context, p *profile, old mcplogin.Credential, usable bool) (mcplogin.Credential, error) {
	shared := a.startRefresh(ctx, p, old)
	var timeout <-chan time.Time
	if usable {
		timeout = time.After(refreshTimeout)
	}
	select {
	case <-shared.done:
		return shared.c, shared.err
	case <-timeout:
		return old, errRefreshing
	case <-ctx.Done():
		return old, ctx.Err()
	}
}

// startRefresh returns the in-flight refresh of requests, or starts one. It
// continues when the request is canceled, because its answer must be stored.
func (a *Agent) startRefresh(ctx context.Context, p *profile, old mcplogin.Credential) *call {
	a.mu.Lock()
	defer a.mu.Unlock()
	if p.call != nil {
		return p.call
	}
	shared := &call{done: make(chan struct{})}
	p.call = shared
	ctx = context.WithoutCancel(ctx)
	a.refreshes.Go(func() {
		shared.c, shared.err = a.renew(ctx, p, old)
		a.note(p, shared.c, shared.err)
		a.mu.Lock()
		p.call = nil
		a.mu.Unlock()
		close(shared.done)
	})
	return shared
}

// learn notes what a request has read if that differs from what is known, for
// example after a login or logout. The error of a canceled request says nothing
// about the profile.
func (a *Agent) learn(ctx context.Context, p *profile, c mcplogin.Credential, err error) {
	known := a.snapshot(p)
	if ctx.Err() == nil && (err != nil || known.err != nil || c.Token.Access != known.last.Token.Access) {
		a.note(p, c, err)
	}
}

// storeOut reports whether the store, and not the record, failed.
func storeOut(err error) bool {
	return errors.Is(err, secrets.ErrTemporary) || errors.Is(err, secrets.ErrUnavailable) || errors.Is(err, context.DeadlineExceeded)
}

// rejects reports whether c has the token that the MCP server rejected.
func (w tokenRequest) rejects(c mcplogin.Credential) bool {
	return w.rejected != "" && w.rejected == agent.Digest(c.Token.Access)
}

// isNew reports whether the token was refreshed within minInterval.
func (k known) isNew() bool { return k.failure == nil && time.Since(k.tried) < minInterval }
