package main

import (
	"cmp"
	"context"
	"os"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/ci"
	"github.com/mcp-login/mcp-login/flows"
	"github.com/mcp-login/mcp-login/internal/confirmed"
	"github.com/mcp-login/mcp-login/internal/report"
	"github.com/mcp-login/mcp-login/internal/signin"
	"github.com/mcp-login/mcp-login/internal/variables"
)

// place returns where a sign-in with these options happens.
func (e *call) place(o *loginOptions) (signin.Place, error) {
	reach := e.outbound(&o.common)
	reach.Timeout = signin.RelayTimeout
	relay, err := reach.Clients()
	if err != nil {
		return signin.Place{}, err
	}
	job, err := e.job(&o.common)
	if err != nil {
		return signin.Place{}, err
	}
	return signin.Place{
		Streams: e.streams(), Say: e.say, Secret: e.secret, Redirect: e.hidden.Redirect,
		RelayClient: relay, Laptop: e.laptop, Environ: variables.Public(os.Environ()), Job: &job,
		NonInteractive: e.nonInteractive(&o.common), FlowTyped: e.Typed("flow"),
		SignedIn: func(c mcplogin.Credential) { e.say("%s", report.SignedIn(c, e.identity(c))) },
		Accept:   e.accept(o.subject),
	}, nil
}

// accept returns what refuses a credential of anybody else. It notes what the
// others were asked to present, and where a secret was sent.
func (e *call) accept(subject string) func(c mcplogin.Credential, secret bool) error {
	return func(c mcplogin.Credential, secret bool) error {
		if err := signin.ExpectSubject(e.identity(c), subject); err != nil {
			return err
		}
		if secret || confirmed.Demands(c) {
			e.confirm(c)
		}
		return nil
	}
}

// identity returns who was logged in.
func (e *call) identity(c mcplogin.Credential) ci.Identity {
	return signin.Identity(c, e.step.Identity())
}

// nonInteractive returns the flows that need no person.
func (e *call) nonInteractive(o *common) []flows.Flow {
	return signin.Flows(
		func(ctx context.Context, source string) (string, error) { return e.secret(ctx, source, "input") },
		func(ctx context.Context, audience string) (string, error) { return e.idToken(ctx, o, audience) },
	)
}

// idToken asks the CI who this job is.
func (e *call) idToken(ctx context.Context, o *common, audience string) (string, error) {
	job, err := e.job(o)
	if err != nil {
		return "", err
	}
	return e.step.IDToken(ctx, job, audience)
}

// job is the CI job that this process is a step of.
func (e *call) job(o *common) (ci.Job, error) {
	client, err := e.outbound(o).Clients()
	if err != nil {
		return ci.Job{}, err
	}
	// A runner of one's own may have its id tokens from a private address.
	issuer := cmp.Or(e.getenv("ACTIONS_ID_TOKEN_REQUEST_URL"), e.getenv("SYSTEM_OIDCREQUESTURI"))
	return ci.Job{Provider: ci.Detect(e.getenv), Getenv: e.getenv, Out: e.out, Err: e.streams().RawErr(), HTTP: client(issuer)}, nil
}
