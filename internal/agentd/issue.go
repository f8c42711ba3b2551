package agentd

import (
	"context"
	"errors"
	"time"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/agent"
	"github.com/mcp-login/mcp-login/secrets"
)

// maxWait limits the wait of a request for a refresh while the old token is still
// valid.
const maxWait = 5 * time.Second

// credential returns a credential to issue now. Its token has enough lifetime
// left, and is refreshed if necessary. The record is read each time, so that a
// logout takes effect at once.
func (a *Agent) credential(ctx context.Context, p *profile, want tokenRequest) (mcplogin.Credential, error) {
	a.look()
	if a.kept(p.name) == nil { // dropped by a reload, perhaps while the user was asked to confirm
		return mcplogin.Credential{}, notKept(p.name)
	}
	c, err := a.stored(ctx, p)
	known := a.snapshot(p)
	switch {
	case storeOut(err) && !known.suspect && known.last.Valid(0) && !want.rejects(known.last):
		a.log.Warn("cannot read the store; the token in memory is still valid", "profile", p.name, "error", err)
		return known.last, nil
	case err != nil:
		a.learn(ctx, p, c, err)
		return c, err
	}
	rejected := want.rejects(c)
	if known.suspect {
		return p.renewed(ctx, c)
	}
	if !rejected && c.Valid(reserved(c)) { // with less left, a retry may be planned
		a.learn(ctx, p, c, nil)
	}
	return p.session.Fresh(ctx, c, mcplogin.Need{MinTTL: want.minTTL, Rejected: rejected})
}

// notKept returns the error for an unknown profile.
func notKept(name string) error {
	return &mcplogin.LoginRequiredError{Profile: name, Reason: "the agent has no credential with that name"}
}

// learn records what a request has read if it differs from the known state, for
// example after a login or logout. It ignores errors of a canceled request.
func (a *Agent) learn(ctx context.Context, p *profile, c mcplogin.Credential, err error) {
	known := a.snapshot(p)
	if ctx.Err() == nil && (err != nil || known.err != nil || c.Token.Access != known.last.Token.Access) {
		a.note(p, c, err)
	}
}

// storeOut reports whether the store failed, not the record.
func storeOut(err error) bool {
	return errors.Is(err, secrets.ErrTemporary) || errors.Is(err, secrets.ErrUnavailable) || errors.Is(err, context.DeadlineExceeded)
}

// rejects reports whether c has the token that the MCP server rejected.
func (w tokenRequest) rejects(c mcplogin.Credential) bool {
	return w.rejected != "" && w.rejected == agent.Digest(c.Token.Access)
}
