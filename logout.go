package mcplogin

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/mcp-login/mcp-login/oauth"
)

// logoutWait bounds how long a logout waits for a refresh under way.
const logoutWait = 10 * time.Second

// Logout revokes the refresh token, then the access token (RFC 7009), gives
// back a dynamic registration that came with a handle (RFC 7592 §2.3), and
// removes the credential here whatever the server said. A part that failed is
// in *LogoutError, whose Revoke is oauth.ErrUnsupported where the server has no
// way to revoke a token: then the access token stays valid until it expires.
func (s *Session) Logout(ctx context.Context) error {
	if err := s.source.owned(); err != nil {
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

// revoke tells the server that the tokens and the client are not needed.
func (s *Session) revoke(ctx context.Context, c Credential) error {
	client := s.client(c)
	var failed []error
	var unsupported error
	for _, t := range []struct{ token, hint string }{
		{c.Token.Refresh, oauth.HintRefreshToken},
		{c.Token.Access, oauth.HintAccessToken},
	} {
		if t.token == "" {
			continue
		}
		switch err := client.Revoke(ctx, t.token, t.hint); {
		case errors.Is(err, oauth.ErrUnsupported):
			unsupported = fmt.Errorf("revoke %s: %w", t.hint, err)
		case err != nil:
			failed = append(failed, fmt.Errorf("revoke %s: %w", t.hint, err))
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
