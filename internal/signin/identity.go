package signin

import (
	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/agent"
	"github.com/mcp-login/mcp-login/ci"
	"github.com/mcp-login/mcp-login/flows"
	"github.com/mcp-login/mcp-login/flows/clientcred"
	"github.com/mcp-login/mcp-login/oauth"
)

// ExpectIssuer returns a function that rejects other authorization servers; "":
// none.
func ExpectIssuer(issuer string) func(oauth.Server) error {
	return func(s oauth.Server) error { return refusal(ci.Identity{Issuer: s.Issuer}.Expect(issuer, "")) }
}

// ExpectSubject rejects a login as another user; "" allows any. An attacker could
// approve a code shown in a log, and the job would then use the attacker's
// account.
func ExpectSubject(who ci.Identity, subject string) error { return refusal(who.Expect("", subject)) }

// refusal marks an error of these checks.
func refusal(err error) error {
	if err == nil {
		return nil
	}
	return denied{err}
}

// denied gives a refusal the exit code and API code of a denied request.
type denied struct{ error }

func (d denied) Unwrap() []error { return []error{d.error, flows.ErrDenied, agent.ErrDenied} }

// Identity returns the account that signed in: the subject of the ID token, else that of
// an access token that has one, else the CI job, else the authorization server alone.
func Identity(c mcplogin.Credential, job ci.Identity) ci.Identity {
	for _, token := range []string{c.Token.ID, c.Token.Access} {
		if id, err := ci.ParseIdentity(token); err == nil && id.Subject != "" {
			return id
		}
	}
	if c.Flow == (clientcred.CI{}).Name() && job.Subject != "" {
		return job
	}
	return ci.Identity{Issuer: c.Issuer.Issuer}
}
