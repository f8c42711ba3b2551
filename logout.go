package mcplogin

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/mcp-login/mcp-login/oauth"
)

// logoutWait limits how long a logout waits for a refresh in flight.
const logoutWait = 10 * time.Second

// Logout revokes the refresh token, then the access token (RFC 7009), deletes a
// dynamic registration that has a management URI (RFC 7592 §2.3), and deletes
// the credential even if the server reported an error. A part that failed is in
// *LogoutError. Its Revoke is oauth.ErrUnsupported if the server cannot revoke
// tokens: then the access token stays valid until it expires.
func (s *Session) Logout(ctx context.Context) error {
	if err := s.source.checkWritable(); err != nil {
		return err
	}
	defer s.lockFor(ctx, logoutWait)()
	c, err := s.Credential(ctx)
	if err != nil {
		return err
	}
	revoke := s.revoke(ctx, c)
	remove := s.Clear(ctx)
	if revoke == nil && remove == nil {
		return nil
	}
	return &LogoutError{Revoke: revoke, Delete: remove}
}

// revoke revokes the tokens and deletes the dynamic registration.
func (s *Session) revoke(ctx context.Context, c Credential) error {
	client := s.client(c)
	var failed []error
	var unsupported error
	for _, t := range []struct{ token, hint, name string }{
		{c.Token.Refresh, oauth.HintRefreshToken, "the refresh token"},
		{c.Token.Access, oauth.HintAccessToken, "the access token"},
	} {
		if t.token == "" {
			continue
		}
		err := client.Revoke(ctx, t.token, t.hint)
		if _, unanswered := errors.AsType[*url.Error](err); unanswered && t.hint == oauth.HintRefreshToken {
			return err // the other requests would wait as long
		}
		switch {
		case errors.Is(err, oauth.ErrUnsupported):
			unsupported = fmt.Errorf("revoke %s: %w", t.name, err)
		case err != nil:
			failed = append(failed, fmt.Errorf("revoke %s: %w", t.name, err))
		}
	}
	if c.App.RegistrationURI != "" && len(failed) == 0 {
		if err := oauth.Deregister(ctx, client.HTTP, c.App); err != nil {
			failed = append(failed, fmt.Errorf("delete registration: %w", err))
		}
	}
	if len(failed) == 0 {
		return unsupported
	}
	return errors.Join(failed...)
}
