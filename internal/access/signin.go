package access

import (
	"context"
	"net/http"
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

// SignIn prepares a sign-in with these options.
func (o Opener) SignIn(as *signin.Options) (signin.SignIn, error) {
	clients, err := o.Clients()
	if err != nil {
		return signin.SignIn{}, err
	}
	job, err := o.Job()
	if err != nil {
		return signin.SignIn{}, err
	}
	return signin.New(signin.Place{
		Streams: o.Streams, Secret: o.Secret, Redirect: o.Hidden.Redirect,
		RelayClient: func(url string) *http.Client {
			client := *clients(url)
			client.Timeout = signin.RelayTimeout
			return &client
		},
		Laptop: o.Laptop, Environ: variables.Public(os.Environ()), Job: &job,
		WithoutPerson: o.nonInteractive(), FlowTyped: o.Typed("flow"), Issuer: o.ExpectIssuer, Identity: o.Identity,
		SignedIn: func(c mcplogin.Credential) { o.Streams.Say("%s", report.SignedIn(c, o.Identity(c))) },
		Accepted: o.accepted,
	}, as)
}

// accepted records the demand of a credential, and that a secret was sent for it.
func (o Opener) accepted(c mcplogin.Credential, sent bool) {
	if sent || confirmed.Demands(c) {
		o.confirm(c)
	}
}

// Identity returns who signed in.
func (o Opener) Identity(c mcplogin.Credential) ci.Identity {
	return signin.Identity(c, o.Step.Identity())
}

// nonInteractive returns the non-interactive flows.
func (o Opener) nonInteractive() []flows.Flow {
	return signin.Flows(func(ctx context.Context, source string) (string, error) { return o.Secret(ctx, source, "input") }, o.idToken)
}

// idToken requests the ID token of this CI job.
func (o Opener) idToken(ctx context.Context, audience string) (string, error) {
	job, err := o.Job()
	if err != nil {
		return "", err
	}
	return o.Step.IDToken(ctx, job, audience)
}

// Job is the CI job that this process is a step of.
func (o Opener) Job() (ci.Job, error) {
	client, err := o.Clients()
	if err != nil {
		return ci.Job{}, err
	}
	job := ci.Job{Provider: ci.Detect(o.Getenv), Getenv: o.Getenv, Out: o.Streams.Out, Err: o.Streams.RawErr()}
	job.HTTP = client(job.IDTokenURL()) // a self-hosted runner may get its ID tokens from a private address
	return job, nil
}

// browserVariable names the socket of the laptop's browser on a remote host.
const browserVariable = "MCP_LOGIN_BROWSER_SOCK"

// Laptop returns the endpoint of the browser on the user's laptop; "" if none
// responds.
func (o Opener) Laptop() string {
	folder, err := o.LaptopFolder()
	if err != nil {
		folder = "" // without a home folder only the variable names one
	}
	return sshbrowser.Find(context.Background(), o.Getenv(browserVariable), folder)
}

// LaptopFolder returns the folder with the endpoints of the user's laptops.
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
