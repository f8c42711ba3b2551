package mcplogin

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/mcp-login/mcp-login/oauth"
	"github.com/mcp-login/mcp-login/secrets"
)

// exchange is a refresh in progress. The caller holds the lock.
type exchange struct {
	*Session
	c             Credential
	v             secrets.Version // of the record that has c
	interruptedAt time.Time       // when an earlier refresh began whose response was never stored; zero: none
}

// do gets a new token and stores it before it is used.
func (x exchange) do(ctx context.Context) (Credential, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), exchangeTimeout)
	defer cancel()
	if x.c.Token.Refresh == "" || x.c.isRefused() {
		return x.rerun(ctx)
	}
	client := x.client(x.c)
	t, err := client.Refresh(ctx, x.c.Token.Refresh, x.c.Resource, nil)
	x.c.App = client.LearnedApp()
	if err != nil {
		return x.refused(ctx, fmt.Errorf("refresh %q: %w", x.c.Profile, err))
	}
	token, err := x.c.Login.tokenToKeep(t, x.c.Token)
	if err != nil {
		return x.missingIDToken(ctx, t.Refresh, err)
	}
	return x.renewed(ctx, token)
}

// rerun runs a non-interactive flow again. On failure it drops the refresh token
// that the server no longer accepts: otherwise each renewal would try it first.
func (x exchange) rerun(ctx context.Context) (Credential, error) {
	token, err := x.runFlow(ctx)
	if err == nil {
		token, err = x.c.Login.tokenToKeep(token, oauth.Token{})
	}
	if err != nil {
		x.c.Token.Refresh = ""
		return x.refused(ctx, err)
	}
	return x.renewed(ctx, token)
}

// runFlow runs the non-interactive flow of a stored credential.
func (x exchange) runFlow(ctx context.Context) (oauth.Token, error) {
	if err := x.cfg.Trust.permit(ctx, x.c); err != nil {
		return oauth.Token{}, err
	}
	return x.nonInteractive(x.c).Run(ctx, x.c.request(x.client(x.c)))
}

// renewed stores the new token.
func (x exchange) renewed(ctx context.Context, token oauth.Token) (Credential, error) {
	oldRefresh := x.c.Token.Refresh
	x.c.Token, x.c.Refused, x.c.RefusedAt = token, "", time.Time{}
	x.c.RefreshBegunAt = time.Time{}
	x.c.RefreshedAt = time.Now().UTC().Truncate(time.Second)
	return x.keep(ctx, oldRefresh)
}

// missingIDToken handles a token response without the id_token that serves as the
// bearer token. The stored token is used until it expires; its refresh token may be
// used up.
func (x exchange) missingIDToken(ctx context.Context, refresh string, cause error) (Credential, error) {
	if x.nonInteractive(x.c) != nil {
		x.interruptedAt = time.Time{}
		return x.rerun(ctx)
	}
	oldRefresh := x.c.Token.Refresh
	x.c.Token.Refresh, x.c.Refused, x.c.RefreshBegunAt = refresh, cause.Error(), time.Time{}
	if _, err := x.keep(ctx, oldRefresh); err != nil {
		return Credential{}, err
	}
	return Credential{}, x.c.loginRequired(x.c.Refused)
}

// isRejection reports whether the server rejected the refresh token or the client's
// credentials. For a refresh token every OAuth error counts: servers reject it by
// invalid_request (dexidp/dex, obot-platform/obot#7501) or a nonstandard code
// (decocms/studio#3774). A response that is not an OAuth error, such as a firewall's
// page, says nothing about the token.
func (x exchange) isRejection(err error) bool {
	if oauth.Temporary(err) {
		return false
	}
	if x.c.Token.Refresh != "" {
		answer, ok := errors.AsType[*oauth.Error](err)
		return ok && answer.Code != ""
	}
	return isPermanent(err)
}

// isPermanent reports whether waiting cannot resolve the rejection.
func isPermanent(err error) bool {
	return oauth.IsCode(err, oauth.CodeInvalidGrant, oauth.CodeInvalidClient, oauth.CodeUnauthorizedClient) || errors.Is(err, errNoIDToken)
}

// keep stores a new token. The server no longer accepts the old refresh token,
// so keep retries until ctx ends.
func (x exchange) keep(ctx context.Context, oldRefresh string) (Credential, error) {
	for backoff := minBackoff; ; backoff = min(2*backoff, maxBackoff) {
		_, err := x.write(ctx, x.c, x.v)
		if err == nil {
			return x.c, nil
		}
		if errors.Is(err, secrets.ErrConflict) {
			// A login replaced the record, or another process took over the
			// lock. Overwrite the record only if it still has the refresh token
			// that this response replaces.
			now, nv, rerr := x.read(ctx)
			if rerr == nil && now.Token.Refresh != oldRefresh {
				return now, nil
			}
			if rerr == nil {
				x.v = nv
			}
		}
		if sleep(ctx, backoff) != nil {
			return Credential{}, fmt.Errorf("a new token for %q was issued but could not be stored, and the old one can no longer be used: %w", x.c.Profile, err)
		}
	}
}

// refused handles a failed exchange. A network error or an overloaded server
// (RFC 6749 §5.2 has no code for that) says nothing about the refresh token, so
// the record keeps it.
func (x exchange) refused(ctx context.Context, cause error) (Credential, error) {
	if !x.isRejection(cause) {
		if x.c.Token.Refresh == "" || isUnused(cause) {
			x.c.RefreshBegunAt = x.interruptedAt
			x.saveFailure(ctx, x.c, x.v)
		}
		return Credential{}, cause
	}
	if now, ok := x.awaitWinner(ctx); ok {
		return now, nil
	}
	x.c.RefusedAt = time.Time{}
	if x.c.Token.Refresh != "" && x.nonInteractive(x.c) != nil {
		x.log.Info("the refresh token is no longer accepted; running the flow again", "profile", x.c.Profile, "flow", x.c.Flow, "error", cause)
		return x.rerun(ctx)
	}
	x.c.Refused = "the server no longer accepts the refresh token"
	switch {
	case !isPermanent(cause):
		x.c.Refused = "the server rejected the refresh"
		x.c.RefusedAt = time.Now().UTC().Truncate(time.Second)
	case errors.Is(cause, errNoIDToken):
		x.c.Refused = errNoIDToken.Error()
	case x.c.Token.Refresh == "":
		x.c.Refused = "the server rejects the client's credentials"
	case !x.interruptedAt.IsZero():
		x.c.Refused = fmt.Sprintf("the answer to a refresh begun at %s was never stored, and the server no longer accepts the old refresh token", x.interruptedAt.Format(time.RFC3339))
	}
	x.c.ClientRefused = oauth.IsCode(cause, oauth.CodeInvalidClient)
	x.c.RefreshBegunAt = time.Time{}
	x.saveFailure(ctx, x.c, x.v) // else the next caller sends the request again
	return Credential{}, errors.Join(x.c.loginRequired(x.c.Refused), cause)
}

// isUnused reports whether the refresh token is certainly unused: the request was
// never sent, or the server itself rejected it. After a gateway's 5xx the token
// may be used up.
func isUnused(err error) bool {
	if answer, ok := errors.AsType[*oauth.Error](err); ok {
		return answer.Status < 500
	}
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "dial"
}

// awaitWinner rereads the record after a rejection: another process that took over
// the lock may have used the same refresh token and be about to store the
// response.
func (x exchange) awaitWinner(ctx context.Context) (Credential, bool) {
	ctx, cancel := context.WithTimeout(ctx, winnerWait)
	defer cancel()
	for {
		now, nv, err := x.read(ctx)
		if err != nil || nv == x.v {
			return Credential{}, false
		}
		if now.Token.Refresh != x.c.Token.Refresh && now.Valid(0) {
			return now, true
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			return Credential{}, false
		}
	}
}
