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
	// calm is for how long a request does not repeat what has just failed.
	calm = 2 * time.Second
	// patience is how long a request waits for a refresh while the token that
	// there is lives for a moment more.
	patience = 5 * time.Second
	moment   = 10 * time.Second
	// newTime is for how long a token counts as new: an MCP server that rejects
	// it would reject the next one too.
	newTime = 10 * time.Second
)

// errNew answers who rejects a token that is new.
var errNew = errors.New("the token was refreshed a moment ago")

// errSlow is a refresh that goes on without who asked for it.
var errSlow = fmt.Errorf("%w: the refresh takes its time", secrets.ErrTemporary)

// flight is a refresh that was begun for a request.
type flight struct {
	done chan struct{} // closed at the end, when the rest holds
	c    mcplogin.Credential
	err  error
}

// credential returns what may be handed out now: a token that has some life
// left, refreshed if need be. The record is read each time, so that a logout
// counts at once.
func (a *Agent) credential(ctx context.Context, p *profile, want wish) (mcplogin.Credential, error) {
	a.look()
	if a.kept(p.name) == nil { // since a reload: a person may have taken their time to confirm
		return mcplogin.Credential{}, notKept(p.name)
	}
	c, err := a.stored(ctx, p)
	known := a.snapshot(p)
	switch {
	case storeOut(err) && !known.suspect && known.last.Valid(p.least(known.last, 0)) && !want.rejects(known.last):
		a.log.Warn("the store cannot be read, the token in memory is still valid", "profile", p.name, "error", err)
		return known.last, nil
	case err != nil:
		a.learn(ctx, p, c, err)
		return c, err
	case want.rejects(c) && known.isNew():
		return c, errNew
	case !known.suspect && c.Valid(p.least(c, want.minTTL)) && !want.rejects(c):
		a.learn(ctx, p, c, nil)
		return c, nil
	}
	usable := func(ttl time.Duration) bool { return !known.suspect && c.Valid(ttl) && !want.rejects(c) }
	err = known.failure
	if err == nil || time.Since(known.tried) >= calm {
		var renewed mcplogin.Credential
		if renewed, err = a.await(ctx, p, c, usable(moment)); err == nil {
			return renewed, nil
		}
	}
	if usable(0) && ctx.Err() == nil {
		return c, nil // there is no new one, or not yet
	}
	return c, err
}

// notKept answers who asks for a profile that the agent does not keep.
func notKept(name string) error {
	return &mcplogin.LoginRequiredError{Profile: name, Reason: "the agent keeps no credential of that name"}
}

// await waits for a refresh of old: to its end, or if something else can be
// handed out only for as long as patience goes.
func (a *Agent) await(ctx context.Context, p *profile, old mcplogin.Credential, impatient bool) (mcplogin.Credential, error) {
	f := a.fly(ctx, p, old)
	var enough <-chan time.Time
	if impatient {
		enough = time.After(patience)
	}
	select {
	case <-f.done:
		return f.c, f.err
	case <-enough:
		return old, errSlow
	case <-ctx.Done():
		return old, ctx.Err()
	}
}

// fly returns the refresh that is under way for requests, or begins one. It
// goes on when who asked has gone: its answer must be stored.
func (a *Agent) fly(ctx context.Context, p *profile, old mcplogin.Credential) *flight {
	a.mu.Lock()
	defer a.mu.Unlock()
	if p.flight != nil {
		return p.flight
	}
	f := &flight{done: make(chan struct{})}
	p.flight = f
	ctx = context.WithoutCancel(ctx)
	a.flights.Go(func() {
		f.c, f.err = a.renew(ctx, p, old)
		a.note(p, f.c, f.err)
		a.mu.Lock()
		p.flight = nil
		a.mu.Unlock()
		close(f.done)
	})
	return f
}

// learn is note for what a request has read, if it is news: by a login or logout
// say, or another process. That who asked has gone says nothing of the profile.
func (a *Agent) learn(ctx context.Context, p *profile, c mcplogin.Credential, err error) {
	known := a.snapshot(p)
	if ctx.Err() == nil && (err != nil || known.err != nil || c.Token.Access != known.last.Token.Access) {
		a.note(p, c, err)
	}
}

// storeOut reports that the store, not the record, is the trouble.
func storeOut(err error) bool {
	return errors.Is(err, secrets.ErrTemporary) || errors.Is(err, secrets.ErrUnavailable) || errors.Is(err, context.DeadlineExceeded)
}

// rejects reports whether c has the token that is not wanted.
func (w wish) rejects(c mcplogin.Credential) bool {
	return w.rejected != "" && w.rejected == agent.Digest(c.Token.Access)
}

// isNew reports whether the token was refreshed a moment ago.
func (k known) isNew() bool { return k.failure == nil && time.Since(k.tried) < newTime }
