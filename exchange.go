package mcplogin

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/mcp-login/mcp-login/oauth"
	"github.com/mcp-login/mcp-login/secrets"
)

// exchange gets a new token and stores it before anybody uses it. It is called
// under the lock. cutOff is when an earlier refresh began that never ended.
func (s *Session) exchange(ctx context.Context, c Credential, v secrets.Version, cutOff time.Time) (Credential, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), exchangeTimeout)
	defer cancel()
	if c.Token.Refresh == "" || c.isRefused() {
		return s.rerun(ctx, c, v, cutOff)
	}
	client := s.client(c)
	t, err := client.Refresh(ctx, c.Token.Refresh, c.Resource, nil)
	c.App = client.LearnedApp()
	if err != nil {
		return s.refused(ctx, c, v, cutOff, fmt.Errorf("refresh %q: %w", c.Profile, err))
	}
	token, err := c.Login.settle(t, c.Token)
	if err != nil {
		return s.unsettled(ctx, c, v, t.Refresh, err)
	}
	return s.renewed(ctx, c, v, token)
}

// rerun runs a non-interactive flow again. It never keeps a refresh token that the
// server no longer accepts: each renewal would try it first.
func (s *Session) rerun(ctx context.Context, c Credential, v secrets.Version, cutOff time.Time) (Credential, error) {
	dead := c
	dead.Token.Refresh = ""
	token, err := s.again(ctx, c)
	if err == nil {
		token, err = c.Login.settle(token, oauth.Token{})
	}
	if err != nil {
		return s.refused(ctx, dead, v, cutOff, err)
	}
	return s.renewed(ctx, c, v, token)
}

// again runs the non-interactive flow of a stored credential once more.
func (s *Session) again(ctx context.Context, c Credential) (oauth.Token, error) {
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

// unsettled handles an answer without what the login presents as the token. The
// stored one is used until it expires; its refresh token may be spent.
func (s *Session) unsettled(ctx context.Context, c Credential, v secrets.Version, refresh string, cause error) (Credential, error) {
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

// final reports whether an error is the server's refusal of what was presented:
// any OAuth error is. Servers refuse a dead refresh token by invalid_request
// (dexidp/dex, obot-platform/obot#7501) or a code of their own
// (decocms/studio#3774). What is no OAuth answer, such as a firewall's page, says
// nothing about the token.
func (s *Session) final(c Credential, err error) bool {
	if oauth.Temporary(err) {
		return false
	}
	if c.Token.Refresh != "" {
		answer, ok := errors.AsType[*oauth.Error](err)
		return ok && answer.Code != ""
	}
	return lastWord(err)
}

// lastWord reports a refusal that no waiting changes.
func lastWord(err error) bool {
	return oauth.IsCode(err, oauth.CodeInvalidGrant, oauth.CodeInvalidClient, oauth.CodeUnauthorizedClient) || errors.Is(err, errNoIDToken)
}
