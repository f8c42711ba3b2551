package access

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
	"github.com/mcp-login/mcp-login/internal/sshbrowser"
	"github.com/mcp-login/mcp-login/internal/variables"
)

// Place returns where a sign-in happens, and what it can use there. It accepts the
// subject alone; "": any.
func (o Opener) Place(subject string) (signin.Place, error) {
	outbound := o.Outbound()
	outbound.Timeout = signin.RelayTimeout
	relay, err := outbound.Clients()
	if err != nil {
		return signin.Place{}, err
	}
	job, err := o.Job()
	if err != nil {
		return signin.Place{}, err
	}
	return signin.Place{
		Streams: o.Streams, Say: o.Streams.Say, Secret: o.Secret, Redirect: o.Hidden.Redirect,
		RelayClient: relay, Laptop: o.Laptop, Environ: variables.Public(os.Environ()), Job: &job,
		NonInteractive: o.nonInteractive(), FlowTyped: o.Typed("flow"),
		SignedIn: func(c mcplogin.Credential) { o.Streams.Say("%s", report.SignedIn(c, o.Identity(c))) },
		Accept:   o.accept(subject),
	}, nil
}

// Ensure returns a credential, and asks a person to sign in if there is no other way to
// a token.
func (o Opener) Ensure(ctx context.Context, as *signin.Options, cfg mcplogin.Config) (c mcplogin.Credential, err error) {
	return o.run(ctx, as, cfg, mcplogin.LoginRequest{}, (*mcplogin.Session).Ensure)
}

// Login asks a person to sign in.
func (o Opener) Login(ctx context.Context, as *signin.Options, cfg mcplogin.Config, req mcplogin.LoginRequest) (c mcplogin.Credential, err error) {
	return o.run(ctx, as, cfg, req, (*mcplogin.Session).Login)
}

// run opens a session for work that may ask a person.
func (o Opener) run(ctx context.Context, as *signin.Options, cfg mcplogin.Config, req mcplogin.LoginRequest, work func(*mcplogin.Session, context.Context, mcplogin.LoginRequest) (mcplogin.Credential, error)) (c mcplogin.Credential, err error) {
	options := *as
	options.Issuer = o.ExpectIssuer
	place, err := o.Place(as.Subject)
	if err != nil {
		return c, err
	}
	if req.Register, err = as.Client.Registration(ctx, place); err != nil {
		return c, err
	}
	err = place.Run(ctx, &options, cfg, req, func(s *mcplogin.Session, req mcplogin.LoginRequest) error {
		c, err = work(s, ctx, req)
		return err
	})
	return c, err
}

// accept returns a check that rejects a credential of another subject. It notes what an
// accepted one requests from this host at a refresh, and that a secret was sent for it.
func (o Opener) accept(subject string) func(c mcplogin.Credential, secret bool) error {
	return func(c mcplogin.Credential, secret bool) error {
		if err := signin.ExpectSubject(o.Identity(c), subject); err != nil {
			return err
		}
		if secret || confirmed.Demands(c) {
			o.confirm(c)
		}
		return nil
	}
}

// Identity returns who signed in.
func (o Opener) Identity(c mcplogin.Credential) ci.Identity {
	return signin.Identity(c, o.Step.Identity())
}

// nonInteractive returns the flows that need no person.
func (o Opener) nonInteractive() []flows.Flow {
	return signin.Flows(func(ctx context.Context, source string) (string, error) { return o.Secret(ctx, source, "input") }, o.idToken)
}

// idToken asks the CI who this job is.
func (o Opener) idToken(ctx context.Context, audience string) (string, error) {
	job, err := o.Job()
	if err != nil {
		return "", err
	}
	return o.Step.IDToken(ctx, job, audience)
}

// Job is the CI job that this process is a step of.
func (o Opener) Job() (ci.Job, error) {
	client, err := o.Outbound().Clients()
	if err != nil {
		return ci.Job{}, err
	}
	// A self-hosted runner may get its id tokens from a private address.
	issuer := cmp.Or(o.Getenv("ACTIONS_ID_TOKEN_REQUEST_URL"), o.Getenv("SYSTEM_OIDCREQUESTURI"))
	return ci.Job{Provider: ci.Detect(o.Getenv), Getenv: o.Getenv, Out: o.Streams.Out, Err: o.Streams.RawErr(), HTTP: client(issuer)}, nil
}

// browserVariable names the socket of the laptop's browser on a remote host.
const browserVariable = "MCP_LOGIN_BROWSER_SOCK"

// Laptop returns the endpoint at which the browser of the user's laptop answers; "":
// none does.
func (o Opener) Laptop() string {
	folder, err := o.LaptopFolder()
	if err != nil {
		folder = "" // without a home folder only the variable names one
	}
	return sshbrowser.Find(context.Background(), o.Getenv(browserVariable), folder)
}

// LaptopFolder returns the folder in which this host finds the user's laptops.
func (o Opener) LaptopFolder() (string, error) {
	base, err := o.Dirs.Browsers()
	if err != nil {
		return "", err
	}
	host, err := os.Hostname()
	if err != nil {
		return "", err
	}
	return sshbrowser.Folder(base, host), nil
}
