package main

import (
	"context"
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/mcp-login/mcp-login/internal/access"
	"github.com/mcp-login/mcp-login/internal/clientconfig"
	"github.com/mcp-login/mcp-login/internal/commandline"
	"github.com/mcp-login/mcp-login/internal/report"
	"github.com/mcp-login/mcp-login/internal/signin"
	"github.com/mcp-login/mcp-login/internal/variables"
	"github.com/mcp-login/mcp-login/secrets"
)

type loginOptions struct {
	common
	signin.Options
	more           string // scopes
	params, relays list
	force          bool
}

const loginName = "login"

func newLogin(e *call) *cli.Command {
	var o loginOptions
	return e.command(&cli.Command{
		Name: loginName, Usage: "Sign in to an MCP server and store the credential",
		ArgsUsage: commandline.NameOrURL + " [URL]", UsageText: "mcp-login login notion https://mcp.notion.com/mcp",
		Description: "Without URL, it signs in again to the server stored under NAME, or asks to use the URL that your MCP clients have under NAME." +
			"\n\nA stored sign-in that is still valid is kept: at a terminal, login asks first. Flags that ask for something else, such as --flow, and --force sign in again.",
		Flags: append(o.interactiveFlags(), []cli.Flag{
			stringFlag("add-scope", "`SCOPES` to request in addition to those of the last sign-in. Separate them with spaces", "", &o.more),
			boolFlag("json", "Print events to standard output as JSON, one per line", &o.JSON),
			boolFlag("force", "Sign in again even if the stored credential is valid. This also replaces one that is for another server, or that cannot be read", &o.force),
		}...),
	}, &o.common, func(ctx context.Context, args []string) error { return runLogin(ctx, e, &o, args) })
}

// interactiveFlags configure the prompt and the client. Every command that may sign in has
// them.
func (o *loginOptions) interactiveFlags() []cli.Flag {
	return slices.Concat([]cli.Flag{
		stringFlag("flow", "`FLOWS` to try, such as device,browser (default: automatic). They are tried in order: "+signin.FlowNames+". By default it is the best one that works here", "", &o.Flow),
		stringFlag("scope", "`SCOPES` to request (default: what the server asks for). Separate them with spaces", "", &o.Scope),
		durationFlag("wait", "Wait at most `DURATION` (default: until the code expires). It is the time that you have to approve the sign-in", 0, &o.Wait),
		boolFlag("no-qr", "Show no QR code", &o.NoQR),
		boolFlag("copy", "Copy the code or link to the terminal's clipboard", &o.Copy),
	}, grouped(groupEnterprise, boolFlag("retry-expired", "Request a new code without asking when one expires", &o.RetryExpired)), browserFlags(&o.Browser, &o.params), relayFlags(&o.Relay, &o.relays), clientFlags(&o.Client), overrideFlags(&o.Server), nonInteractiveFlags(&o.NonInteractive), grouped(groupEnterprise,
		stringFlag("expect-subject", "Accept a sign-in only as this `SUBJECT`. With --flow ci, a token without a subject must be for this job", "", &o.Subject),
	))
}

// signIn returns the options for package signin.
func (o *loginOptions) signIn() *signin.Options {
	all := o.Options
	all.Browser.Params, all.Relay.URLs = o.params, separated(o.relays)
	return &all
}

func runLogin(ctx context.Context, e *call, o *loginOptions, args []string) error {
	l := access.Login{Opener: e.open(&o.common), Force: o.force, MCPClients: clientconfig.PlacesHere(e.getenv)}
	var err error
	if l.Target, err = access.ParseTarget(args); err != nil {
		return err
	}
	if l.MoreScopes, err = signin.Scopes("add-scope", o.more); err != nil {
		return err
	}
	if l.As, err = l.SignIn(o.signIn()); err != nil {
		return err
	}
	if l.From.Store, err = l.OpenStore(ctx, true); err != nil {
		return err
	}
	r, err := l.Run(ctx)
	if err != nil {
		return err
	}
	c, id := r.Credential, l.Identity(r.Credential)
	if !o.JSON && !r.Kept {
		for _, row := range report.Stored(c, id, o.Scope+" "+o.more, r.Renews) {
			e.say("%s", row)
		}
	}
	collides(ctx, e, l.From.Store, c.Profile)
	l.WarnUnshared(ctx, c)
	if err := l.As.Summarize(ctx, c, id, report.Expires(c.Token.Expiry)); err != nil {
		e.log.Debug().Err(err).Msg("no summary was written")
	}
	if o.JSON {
		return e.answerJSON(report.LoggedIn(c, id, r.Renews, r.Kept))
	}
	for i, line := range l.Next(ctx, c) {
		e.say("%s: %s", []string{"next", "then"}[min(i, 1)], line)
	}
	return nil
}

// collides warns if this profile's variables have the same names as those of
// another profile, or of this program.
func collides(ctx context.Context, e *call, store secrets.Store, profile string) {
	names, err := store.List(ctx)
	if err != nil {
		names = nil // only the warning is omitted
	}
	for _, warning := range variables.Warnings(profile, names) {
		e.say("warning: %s", warning)
	}
}
