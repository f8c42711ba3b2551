package mcplogin

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/mcp-login/mcp-login/oauth"
	"github.com/mcp-login/mcp-login/secrets"
)

// exchange gets a new token and stores it before it is used. The caller holds the
// lock. interruptedAt is when an earlier refresh began whose response was never
// stored; zero: none.
func (s *Session) exchange(ctx context.Context, c Credential, v secrets.Version, interruptedAt time.Time) (Credential, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), exchangeTimeout)
	defer cancel()
	if c.Token.Refresh == "" || c.isRefused() {
		return s.rerun(ctx, c, v, interruptedAt)
	}
	client := s.client(c)
	t, err := client.Refresh(ctx, c.Token.Refresh, c.Resource, nil)
	c.App = client.LearnedApp()
	if err != nil {
		return s.refused(ctx, c, v, interruptedAt, fmt.Errorf("refresh %q: %w", c.Profile, err))
	}
	token, err := c.Login.tokenToKeep(t, c.Token)
	if err != nil {
		return s.missingIDToken(ctx, c, v, t.Refresh, err)
	}
	return s.renewed(ctx, c, v, token)
}

// rerun runs a non-interactive flow again. On failure it drops the refresh token
// that the server no longer accepts: otherwise each renewal would try it first.
func (s *Session) rerun(ctx context.Context, c Credential, v secrets.Version, interruptedAt time.Time) (Credential, error) {
	dead := c
	dead.Token.Refresh = ""
	token, err := s.runFlow(ctx, c)
	if err == nil {
		token, err = c.Login.tokenToKeep(token, oauth.Token{})
	}
	if err != nil {
		return s.refused(ctx, dead, v, interruptedAt, err)
	}
	return s.renewed(ctx, c, v, token)
}

// runFlow runs the non-interactive flow of a stored credential.
func (s *Session) runFlow(ctx context.Context, c Credential) (oauth.Token, error) {
	if err := s.cfg.Trust.permit(ctx, c); err != nil {
		return oauth.Token{}, err
	}
	return s.nonInteractive(c).Run(ctx, c.request(s.client(c)))
}

// renewed stores the new token of c.
func (s *Session) renewed(ctx context.Context, c Credential, v secrets.Version, token oauth.Token) (Credential, error) {
	spent := c.Token.Refresh
	c.Token, c.Refused, c.RefusedAt = token, "", time.Time{}
	c.RefreshBegunAt = time.Time{}
	c.RefreshedAt = time.Now().UTC().Truncate(time.Second)
	return s.keep(ctx, c, v, spent)
}

// missingIDToken handles a token response without the id_token that serves as the
// bearer token. The stored token is used until it expires; its refresh token may be
// used up.
func (s *Session) missingIDToken(ctx context.Context, c Credential, v secrets.Version, refresh string, cause error) (Credential, error) {
	if s.nonInteractive(c) != nil {
		return s.rerun(ctx, c, v, time.Time{})
	}
	spent := c.Token.Refresh
	c.Token.Refresh, c.Refused, c.RefreshBegunAt = refresh, cause.Error(), time.Time{}
	if _, err := s.keep(ctx, c, v, spent); err != nil {
		return Credential{}, err
	}
	return Credential{}, c.loginRequired(c.Refused)
}

// isRejection reports whether the server rejected the refresh token or the client's
// credentials. For a refresh token every OAuth error counts: servers reject it by
// invalid_request (dexidp/dex, obot-platform/obot#7501) or a nonstandard code
// (decocms/studio#3774). A response that is not an OAuth error, such as a firewall's
// page, says nothing about the token.
func (s *Session) isRejection(c Credential, err error) bool {
	if oauth.Temporary(err) {
		return false
	}
	if c.Token.Refresh != "" {
		answer, ok := errors.AsType[*oauth.Error](err)
		return ok && answer.Code != ""
	}
	return isPermanent(err)
}

// isPermanent reports whether waiting cannot resolve the rejection.
func isPermanent(err error) bool {
	return oauth.IsCode(err, oauth.CodeInvalidGrant, oauth.CodeInvalidClient, oauth.CodeUnauthorizedClient) || errors.Is(err, errNoIDToken)
}
