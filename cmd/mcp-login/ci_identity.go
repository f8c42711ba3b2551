package main

import (
	"context"
	"sync"

	"github.com/urfave/cli/v2"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/agent"
	"github.com/mcp-login/mcp-login/ci"
	"github.com/mcp-login/mcp-login/flows"
	"github.com/mcp-login/mcp-login/flows/clientcred"
	"github.com/mcp-login/mcp-login/oauth"
)

// expectation says as whom a login is to end. Codes shown in a log can be
// approved by a stranger, who would have the job work with the stranger's
// account.
type expectation struct{ subject string }

func (x *expectation) flags() []cli.Flag {
	return grouped(groupEnterprise,
		stringFlag("expect-subject", "Accept only a sign-in as this `SUBJECT`; with --flow ci, if the token names no subject, only as this job", "", &x.subject),
	)
}

// expected refuses an authorization server other than the expected.
func (o *common) expected(s oauth.Server) error {
	return refusal(ci.Identity{Issuer: s.Issuer}.Expect(o.expectIssuer, ""))
}

// accept returns what refuses a credential of anybody else. It notes what the
// others were asked to present, and where a secret was sent.
func (e *env) accept(x expectation, secret bool) func(mcplogin.Credential) error {
	return func(c mcplogin.Credential) error {
		if err := e.identity(c).Expect("", x.subject); err != nil {
			return refusal(err)
		}
		if secret || isDemanding(c) {
			e.confirm(c)
		}
		return nil
	}
}

// refusal is err, if there is one, as a refusal of ours.
func refusal(err error) error {
	if err == nil {
		return nil
	}
	return denied{err}
}

// denied makes a refusal of ours one to the exit code, and to an agent's
// clients.
type denied struct{ error }

func (d denied) Unwrap() []error { return []error{d.error, flows.ErrDenied, agent.ErrDenied} }

// identity returns who was logged in: what the id token says, else the access
// token if it is one that says so, else the CI job that presented itself, else
// the authorization server alone.
func (e *env) identity(c mcplogin.Credential) ci.Identity {
	for _, token := range []string{c.Token.ID, c.Token.Access} {
		if id, err := ci.ParseIdentity(token); err == nil && id.Subject != "" {
			return id
		}
	}
	if job := e.jobIs.get(); c.Flow == (clientcred.CI{}).Name() && job.Subject != "" {
		return job
	}
	return ci.Identity{Issuer: c.Issuer.Issuer}
}

// idToken asks the CI who this job is, and says so once.
func (e *env) idToken(ctx context.Context, o *common, audience string) (string, error) {
	job, err := e.job(o)
	if err != nil {
		return "", err
	}
	token, err := job.IDToken(ctx, audience)
	if err != nil {
		return "", err
	}
	e.hidden.Hide(token)
	id, err := ci.ParseIdentity(token)
	if err != nil {
		return "", err
	}
	if e.jobIs.set(id) {
		e.say("this job is %s", id)
	}
	return token, nil
}

// jobIdentity is what this CI job's id token says; nil says nothing. An agent
// asks for id tokens of several profiles at once.
type jobIdentity struct {
	mu sync.Mutex
	id ci.Identity // zero: none was asked for
}

func (j *jobIdentity) get() ci.Identity {
	if j == nil {
		return ci.Identity{}
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.id
}

// set reports whether it was the first.
func (j *jobIdentity) set(id ci.Identity) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	first := j.id.Subject == ""
	j.id = id
	return first
}
