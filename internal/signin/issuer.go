package signin

import (
	"context"
	"errors"
	"fmt"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/internal/terminal"
	"github.com/mcp-login/mcp-login/oauth"
)

// atNamedIssuer runs work with the request. If that would send a secret to an
// authorization server that the user has not named, it asks the user at the
// terminal and runs the work again; without a terminal the error says how to
// name it.
func (s SignIn) atNamedIssuer(ctx context.Context, req mcplogin.LoginRequest, work func(context.Context, mcplogin.LoginRequest) (mcplogin.Credential, error)) (mcplogin.Credential, error) {
	c, err := work(ctx, req)
	unnamed, ok := errors.AsType[*mcplogin.UnnamedIssuerError](err)
	if !ok || s.JSON || !s.CanAsk() || unnamed.Endpoints != (mcplogin.Endpoints{}) {
		return c, err
	}
	issuer := oauth.Sanitize(unnamed.Issuer, terminal.MaxURL)
	agreed, err := s.Confirm(ctx, fmt.Sprintf("%s uses an authorization server that you have not confirmed.\nSend %s to %s? [y/N] ", terminal.Host(unnamed.Server), unnamed.Secret, issuer))
	if err != nil {
		return c, err
	}
	if !agreed {
		return c, denied{fmt.Errorf("%s was not sent to %s", unnamed.Secret, issuer)}
	}
	req.Register.Issuer = unnamed.Issuer
	return work(ctx, req)
}
