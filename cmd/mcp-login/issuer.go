package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/internal/terminal"
	"github.com/mcp-login/mcp-login/oauth"
)

// atNamedIssuer runs work with the request. Where that would send a secret to an
// authorization server that nobody named, a person at the terminal is asked, and
// the work begins again; without one the error says how to name it.
func (e *env) atNamedIssuer(ctx context.Context, o *loginOptions, req mcplogin.LoginRequest, work func(mcplogin.LoginRequest) error) error {
	err := work(req)
	unnamed, ok := errors.AsType[*mcplogin.UnnamedIssuerError](err)
	if !ok || o.json || !e.streams().CanAsk() || unnamed.Endpoints != (mcplogin.Endpoints{}) {
		return err
	}
	issuer := oauth.Sanitize(unnamed.Issuer, terminal.MaxURL)
	agreed, err := e.streams().Confirm(ctx, fmt.Sprintf("%s uses an authorization server that you have not named.\nSend %s to %s? [y/N] ", terminal.Host(unnamed.Server), unnamed.Secret, issuer))
	if err != nil {
		return err
	}
	if !agreed {
		return denied{fmt.Errorf("%s was not sent to %s", unnamed.Secret, issuer)}
	}
	req.Register.Issuer = unnamed.Issuer
	return work(req)
}

// namingIssuer is this command with the issuer named. A command that has no
// flag for it leaves that to login.
func (e *env) namingIssuer(err *mcplogin.UnnamedIssuerError) string {
	issuer := []string{"--issuer", err.Issuer}
	for _, endpoint := range []struct{ flag, url string }{
		{"--authorization-endpoint", err.Endpoints.Authorization},
		{"--device-authorization-endpoint", err.Endpoints.DeviceAuthorization},
		{"--token-endpoint", err.Endpoints.Token},
		{"--registration-endpoint", err.Endpoints.Registration},
		{"--revocation-endpoint", err.Endpoints.Revocation},
	} {
		if endpoint.url != "" {
			issuer = append(issuer, endpoint.flag, endpoint.url)
		}
	}
	if len(e.line.path) == 0 || !slices.Contains([]string{"login", "proxy"}, e.line.path[0]) {
		return e.loginCommand(err.Profile, err.Server, issuer...)
	}
	return e.line.with(issuer...).String()
}
