package access

import (
	"context"
	"errors"
	"fmt"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/internal/exit"
	"github.com/mcp-login/mcp-login/internal/invocation"
	"github.com/mcp-login/mcp-login/internal/remedy"
	"github.com/mcp-login/mcp-login/internal/report"
	"github.com/mcp-login/mcp-login/internal/suggest"
	"github.com/mcp-login/mcp-login/internal/terminal"
	"github.com/mcp-login/mcp-login/oauth"
)

// Logout revokes the tokens of a profile and removes its credential. If the server
// cannot revoke, it returns the credential that the server still accepts, else nil.
func (o Opener) Logout(ctx context.Context, profile string) (unrevoked *mcplogin.Credential, err error) {
	err = o.remove(ctx, profile, func(s *mcplogin.Session, c mcplogin.Credential) error {
		err := s.Logout(ctx)
		failed, ok := errors.AsType[*mcplogin.LogoutError](err)
		switch {
		case !ok:
			return err
		case failed.Delete == nil && errors.Is(failed.Revoke, oauth.ErrUnsupported):
			unrevoked = &c
			return nil
		}
		return o.halfLogout(c, failed)
	})
	return unrevoked, err
}

// halfLogout says which part of a logout failed, and how to complete it. A credential
// that was removed leaves nothing to revoke tokens with.
func (o Opener) halfLogout(c mcplogin.Credential, failed *mcplogin.LogoutError) error {
	if failed.Delete == nil {
		return &exit.Error{
			Code: exit.Failed,
			Text: fmt.Sprintf("the credential of %q was removed, but its tokens were not revoked at the server: %s", c.Profile, remedy.Text(failed.Revoke)),
			Hint: fmt.Sprintf("to end the access now, revoke it in your account at %s; the access token %s", terminal.Host(c.Issuer.Issuer), report.Remains(c.Token.Expiry)),
		}
	}
	code, hint := o.Remedy().For(failed.Delete)
	text, again := fmt.Sprintf("the tokens of %q were revoked at the server, but its credential was not removed: %s", c.Profile, remedy.Text(failed.Delete)), "clear"
	if failed.Revoke != nil {
		text, again = fmt.Sprintf("%q is still signed in: its credential was not removed (%s), and its tokens were not revoked (%s)", c.Profile, remedy.Text(failed.Delete), remedy.Text(failed.Revoke)), "logout"
	}
	if hint != "" {
		hint += "\n"
	}
	return &exit.Error{Code: code, Text: text, Hint: hint + "then try again: " + suggest.MCPLogin(again, c.Profile).With(o.StoreFlags()...).String()}
}

// Clear removes the credential of a profile without contacting its server.
func (o Opener) Clear(ctx context.Context, profile string) error {
	return o.remove(ctx, profile, func(s *mcplogin.Session, _ mcplogin.Credential) error { return s.Clear(ctx) })
}

func (o Opener) remove(ctx context.Context, profile string, do func(*mcplogin.Session, mcplogin.Credential) error) error {
	store, err := o.OpenStore(ctx, false)
	if err != nil {
		return err
	}
	s, err := o.Session(Source{Store: store}, profile)
	if err != nil {
		return err
	}
	c, unread := s.Credential(ctx)
	if errors.Is(unread, mcplogin.ErrLoginRequired) {
		return o.notSignedIn(profile, unread)
	}
	if err := do(s, c); err != nil {
		return err
	}
	if unread == nil {
		o.Forget(c)
	}
	return nil
}

// notSignedIn is the error for removing a profile that is not stored. The hint
// is not to sign in: an agent may have it.
func (o Opener) notSignedIn(profile string, err error) error {
	hint := suggest.MCPLogin("list").With(o.StoreFlags()...).String()
	if o.Getenv(invocation.AgentVariable) != "" {
		_, hint = o.Remedy().For(err)
	} else if login, ok := errors.AsType[*mcplogin.LoginRequiredError](err); ok {
		hint = o.Remedy().MeantProfile(login) + hint
	}
	return &exit.Error{Code: exit.LoginRequired, Text: fmt.Sprintf("not signed in to %q", profile), Hint: hint}
}
