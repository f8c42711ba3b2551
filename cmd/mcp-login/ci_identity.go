package main

import (
	"github.com/urfave/cli/v2"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/ci"
	"github.com/mcp-login/mcp-login/flows"
)

// expectation says as whom a login is to end. Codes shown in a log can be
// approved by a stranger, who would have the job work with the stranger's
// account.
type expectation struct{ issuer, subject string }

func (x *expectation) flags() []cli.Flag {
	return []cli.Flag{
		stringFlag("expect-issuer", "refuse a login at another issuer", "", &x.issuer),
		stringFlag("expect-subject", "refuse a login as another subject of the issuer", "", &x.subject),
	}
}

// accept refuses a credential of anybody else.
func (x expectation) accept(c mcplogin.Credential) error {
	if err := identityOf(c).Expect(x.issuer, x.subject); err != nil {
		return denied{err}
	}
	return nil
}

// denied makes a refusal of ours one to the exit code.
type denied struct{ error }

func (d denied) Unwrap() []error { return []error{d.error, flows.ErrDenied} }

// identityOf returns who was logged in: what the id token says, else the access
// token if it is one that says so, else the authorization server alone.
func identityOf(c mcplogin.Credential) ci.Identity {
	for _, token := range []string{c.Token.ID, c.Token.Access} {
		if id, err := ci.ParseIdentity(token); err == nil && id.Subject != "" {
			return id
		}
	}
	return ci.Identity{Issuer: c.Issuer.Issuer}
}
