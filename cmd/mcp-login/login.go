package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/urfave/cli/v2"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/internal/commandline"
	"github.com/mcp-login/mcp-login/internal/exit"
	"github.com/mcp-login/mcp-login/internal/report"
	"github.com/mcp-login/mcp-login/internal/signin"
	"github.com/mcp-login/mcp-login/internal/source"
	"github.com/mcp-login/mcp-login/internal/suggest"
	"github.com/mcp-login/mcp-login/internal/variables"
	"github.com/mcp-login/mcp-login/secrets"
)

type loginOptions struct {
	common
	signin.Options
	more           string // scopes
	params, relays cli.StringSlice
	force          bool
}

// errTimedOut ends a login that nobody approved within --wait.
var errTimedOut = &exit.Error{Code: exit.TimedOut, Text: "the sign-in was not approved in time"}

const loginName = "login"

func newLogin(e *call) *cli.Command {
	var o loginOptions
	return e.command(&cli.Command{
		Name: loginName, Usage: "Sign in to an MCP server and store the credential",
		ArgsUsage: commandline.NameOrURL + " [URL]", UsageText: "mcp-login login notion https://mcp.notion.com/mcp",
		Description: "Without URL, it signs in again to the server stored under NAME.",
		Flags: append(o.interactiveFlags(), []cli.Flag{
			stringFlag("add-scope", "`SCOPES` to request in addition to those of the last sign-in, separated by spaces", "", &o.more),
			boolFlag("json", "Print events to standard output as JSON, one per line", &o.JSON),
			boolFlag("force", "Replace a credential for another server, or one that cannot be read", &o.force),
		}...),
	}, &o.common, func(ctx context.Context, args []string) error { return runLogin(ctx, e, o, args) })
}

// interactiveFlags say how a person is asked, and for which client. Every command that may
// log in has them.
func (o *loginOptions) interactiveFlags() []cli.Flag {
	return slices.Concat([]cli.Flag{
		stringFlag("flow", "`FLOWS` to try in order, separated by commas: "+signin.FlowNames+" (default: the best one that works here)", "", &o.Flow),
		stringFlag("scope", "`SCOPES` to request, separated by spaces (default: what the server asks for)", "", &o.Scope),
		durationFlag("wait", "Maximum `DURATION` to wait for approval (default: until the code expires)", 0, &o.Wait),
		boolFlag("no-qr", "Show no QR code", &o.NoQR),
		boolFlag("copy", "Copy the code or link to the terminal's clipboard", &o.Copy),
	}, grouped(groupEnterprise, boolFlag("retry-expired", "Request a new code without asking when one expires", &o.RetryExpired)), browserFlags(&o.Browser, &o.params), relayFlags(&o.Relay, &o.relays), clientFlags(&o.Client), overrideFlags(&o.Server), nonInteractiveFlags(&o.NonInteractive), grouped(groupEnterprise,
		stringFlag("expect-subject", "Accept a sign-in only as this `SUBJECT`. With --flow ci, a token without a subject must be for this job", "", &o.Subject),
	))
}

// signIn returns the options for package signin.
func (o *loginOptions) signIn() *signin.Options {
	all := o.Options
	all.Browser.Params, all.Relay.URLs, all.Issuer = o.params.Value(), separated(o.relays), o.ExpectIssuer
	return &all
}

func runLogin(ctx context.Context, e *call, o loginOptions, args []string) error {
	if _, _, err := parseTarget(args); err != nil {
		return err // before a store is made
	}
	store, err := e.open(&o.common).OpenStore(ctx, true)
	if err != nil {
		return err
	}
	profile, server, err := target(ctx, e, &o.common, source.Source{Store: store}, "", args)
	if err != nil {
		return err
	}
	if err := checkNew(profile); err != nil {
		return err
	}
	if len(args) == 1 && server != "" {
		e.say("the profile is %q", profile)
	}
	cfg, err := e.open(&o.common).Config(source.Source{Store: store}, profile)
	if err != nil {
		return err
	}
	cfg.Server = server
	place, err := e.open(&o.common).Place(o.Subject)
	if err != nil {
		return err
	}
	req := mcplogin.LoginRequest{Replace: o.force}
	if req.Register, err = o.Client.Registration(ctx, place); err != nil {
		return err
	}
	if o.Wait > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, o.Wait, errTimedOut)
		defer cancel()
	}
	if req.MoreScopes, err = signin.Scopes("add-scope", o.more); err != nil {
		return err
	}
	var c mcplogin.Credential
	err = place.Run(ctx, o.signIn(), cfg, req, func(s *mcplogin.Session, req mcplogin.LoginRequest) error {
		c, err = s.Login(ctx, req)
		return err
	})
	if cause := context.Cause(ctx); err != nil && cause == errTimedOut {
		return fmt.Errorf("sign in to %q: %w", profile, cause)
	}
	if err != nil {
		return err
	}
	return loggedIn(ctx, e, o, place, store, c)
}

// loggedIn says what was stored and what to do next.
func loggedIn(ctx context.Context, e *call, o loginOptions, place signin.Place, store secrets.Store, c mcplogin.Credential) error {
	opener := e.open(&o.common)
	id, renews := opener.Identity(c), place.Renews(c)
	if !o.JSON {
		for _, row := range report.Stored(c, id, o.Scope+" "+o.more, renews) {
			e.say("%s", row)
		}
	}
	collides(ctx, e, store, c.Profile)
	opener.WarnUnshared(ctx, c)
	if err := place.Summarize(ctx, c, id, report.Expires(c.Token.Expiry)); err != nil {
		e.log.Debug().Err(err).Msg("no summary was written")
	}
	if o.JSON {
		return e.answerJSON(report.LoggedIn(c, id, renews))
	}
	e.say("next: %s", nextStep(e, c))
	return nil
}

// nextStep is the command that most people run next.
func nextStep(e *call, c mcplogin.Credential) string {
	if _, err := c.Authorization(); errors.Is(err, mcplogin.ErrBound) {
		return suggest.MCPLogin("proxy", c.Profile).With(e.StoreFlags()...).String() // no variable can hold the proof
	}
	return signin.Next(e.getenv, c.Profile, slices.Concat(variables.PrefixFlag(c.Profile), e.StoreFlags()))
}

// collides warns where this profile's variables have the names of another's, or
// of this program's own.
func collides(ctx context.Context, e *call, store secrets.Store, profile string) {
	names, err := store.List(ctx)
	if err != nil {
		names = nil // only a warning is lost
	}
	for _, warning := range variables.Warnings(profile, names) {
		e.say("warning: %s", warning)
	}
}
