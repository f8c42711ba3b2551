package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/envexport"
	"github.com/mcp-login/mcp-login/flows/device"
	"github.com/mcp-login/mcp-login/internal/proxy"
	"github.com/mcp-login/mcp-login/internal/suggest"
	"github.com/mcp-login/mcp-login/internal/terminal"
	"github.com/mcp-login/mcp-login/oauth"
	"github.com/mcp-login/mcp-login/secrets"
)

type loginOptions struct {
	common
	flow           string
	scope, more    string
	client         clientOptions
	server         serverOverrides
	browser        browserOptions
	relay          relayOptions
	nonInteractive nonInteractiveOptions
	expect         expectation
	wait           time.Duration
	noQR, copy     bool
	retryExpired   bool
	json           bool
	force          bool
	inClient       *proxy.Prompt // shows it in an MCP client; nil: it is shown here
}

const loginName = "login"

func newLogin(e *env) *cli.Command {
	var o loginOptions
	return e.command(&cli.Command{
		Name: loginName, Usage: "Sign in to an MCP server and store the credential",
		ArgsUsage: nameOrURL + " [URL]", UsageText: "mcp-login login notion https://mcp.notion.com/mcp",
		Description: "Without URL it signs in again to the server of NAME.",
		Flags: append(o.attendFlags(), []cli.Flag{
			stringFlag("add-scope", "`SCOPES` to request in addition to those of the last sign-in, separated by spaces", "", &o.more),
			boolFlag("json", "Print events as JSON, one a line, on standard output", &o.json),
			boolFlag("force", "Replace a stored credential of another server, or one that cannot be read", &o.force),
		}...),
	}, &o.common, func(ctx context.Context, args []string) error { return runLogin(ctx, e, o, args) })
}

// attendFlags say how a person is asked, and for which client. Every command that may
// log in has them.
func (o *loginOptions) attendFlags() []cli.Flag {
	return slices.Concat([]cli.Flag{
		stringFlag("flow", "`FLOWS` to try, best first, separated by commas: "+flowNames+" (default: what works here)", "", &o.flow),
		stringFlag("scope", "`SCOPES` to request, separated by spaces (default: what the server asks for)", "", &o.scope),
		durationFlag("wait", "Wait at most `DURATION` for approval (default: until the code expires)", 0, &o.wait),
		boolFlag("no-qr", "Show no QR code", &o.noQR),
		boolFlag("copy", "Copy the code or link to the terminal's clipboard", &o.copy),
	}, grouped(groupEnterprise, boolFlag("retry-expired", "Request a new code when one expires, without asking", &o.retryExpired)), o.browser.flags(), o.relay.flags(), o.client.flags(), o.server.flags(), o.nonInteractive.flags(), o.expect.flags())
}

func runLogin(ctx context.Context, e *env, o loginOptions, args []string) error {
	if _, _, err := parseTarget(args); err != nil {
		return err // before a store is made
	}
	store, err := e.openStore(ctx, &o.common, true)
	if err != nil {
		return err
	}
	profile, server, err := e.target(ctx, &o.common, source{store: store}, "", args)
	if err != nil {
		return err
	}
	if err := checkNew(profile); err != nil {
		return err
	}
	if len(args) == 1 && server != "" {
		e.say("the profile is %q", profile)
	}
	cfg, err := e.config(&o.common, source{store: store}, profile)
	if err != nil {
		return err
	}
	cfg.Server = server
	req := mcplogin.LoginRequest{Replace: o.force}
	if req.Register, err = o.client.registration(ctx, e); err != nil {
		return err
	}
	if o.wait > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, o.wait, errTimedOut)
		defer cancel()
	}
	if req.MoreScopes, err = scopes("add-scope", o.more); err != nil {
		return err
	}
	var c mcplogin.Credential
	err = e.attended(ctx, &o, cfg, req, func(s *mcplogin.Session, req mcplogin.LoginRequest) error {
		c, err = s.Login(ctx, req)
		return err
	})
	if cause := context.Cause(ctx); err != nil && cause == errTimedOut {
		return fmt.Errorf("log in to %q: %w", profile, cause)
	}
	if err != nil {
		return err
	}
	if !o.json {
		e.saySignIn(o, c)
	}
	e.collides(ctx, store, profile)
	e.aside(ctx, c)
	e.summarize(ctx, &o.common, c)
	if o.json {
		return e.answerJSON(e.signInEvent(o, c))
	}
	e.say("next: %s", e.nextStep(c))
	return nil
}

// attended opens a session for work that may ask a person, completes the request
// from the options, and shows the prompt as long as work runs.
func (e *env) attended(ctx context.Context, o *loginOptions, cfg mcplogin.Config, req mcplogin.LoginRequest, work func(*mcplogin.Session, mcplogin.LoginRequest) error) error {
	p := e.prompt(o)
	defer p.Close()
	if w, ok := p.(io.Writer); ok {
		e.hidden.Redirect(w)
		defer e.hidden.Redirect(e.err)
	}
	var err error
	if err = e.choose(o, p, &req); err != nil {
		return err
	}
	if req.Options.Scopes, err = scopes("scope", o.scope); err != nil {
		return err
	}
	if req.Options.Params, err = o.browser.authParams(); err != nil {
		return err
	}
	if err := o.server.apply(&req.Options); err != nil {
		return err
	}
	if err := o.nonInteractive.apply(&req.Options, o.server.audience); err != nil {
		return err
	}
	if req.Register.App.Key, err = o.nonInteractive.key(context.Background(), e); err != nil {
		return err
	}
	s, err := mcplogin.Open(cfg)
	if err != nil {
		return err
	}
	req.Register.Issuer, req.Known = o.expectIssuer, e.known
	var signedIn *mcplogin.Credential // nil: nobody had to
	accept := e.accept(o.expect, sendsSecret(req.Register))
	req.Accept = func(c mcplogin.Credential) error {
		signedIn = &c
		return accept(c)
	}
	err = e.atNamedIssuer(ctx, o, req, func(req mcplogin.LoginRequest) error { return work(s, req) })
	if err == nil && signedIn != nil && !o.json {
		_ = p.Close() // erases the prompt
		e.sayAccount(*signedIn)
	}
	return err
}

// scopes returns the scopes of a flag.
func scopes(flag, text string) ([]string, error) {
	list := strings.Fields(text)
	for _, scope := range list {
		if !oauth.ValidScope(scope) {
			return nil, usagef("--%s: a scope holds no \" or \\, and nothing but ASCII", flag)
		}
	}
	return list, nil
}

// prompt returns what shows the codes of a login: JSON events, the CI
// provider's own notices, or text for people.
func (e *env) prompt(o *loginOptions) prompt {
	if o.inClient != nil {
		return o.inClient
	}
	if o.json {
		return &terminal.Events{Out: e.out}
	}
	p := terminal.DevicePrompt{Prompt: terminal.NewPrompt(e.streams(), terminal.Options{NoQR: o.noQR, Copy: o.copy})}
	if job, err := e.job(&o.common); err == nil && job.Provider.ReadsErr() {
		return ciPrompt{p, job}
	}
	return p
}

// expires says when, for people.
func expires(t time.Time) string {
	if t.IsZero() {
		return "has an unknown lifetime"
	}
	left := time.Until(t).Round(time.Second)
	if left <= 0 {
		return "expired " + (-left).String() + " ago"
	}
	return "expires in " + left.String()
}

// collides warns where this profile's variables have the names of another's, or
// of this program's own.
func (e *env) collides(ctx context.Context, store secrets.Store, profile string) {
	if flag := needsPrefix(profile); flag != nil {
		e.say("warning: the variables of %q would begin with %s, which configure mcp-login itself: use env and exec with %s", profile, ownPrefix, suggest.Command(flag))
	}
	names, err := store.List(ctx)
	if err != nil {
		return // only a warning is lost
	}
	if other, found := envexport.Collision(profile, names); found {
		e.say("warning: the variables of %q and %q have the same names: use --prefix with one of them", profile, other)
	}
}

// prompt shows the codes of the device flow to a person or a program.
type prompt interface {
	device.PollPrompt

	// Retry asks whether to go on with a new code after one expired.
	Retry(ctx context.Context) bool

	// Close ends the prompt before the process ends.
	Close() error
}
