package main

import (
	"context"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/internal/access"
	"github.com/mcp-login/mcp-login/internal/exit"
	"github.com/mcp-login/mcp-login/internal/remedy"
	"github.com/mcp-login/mcp-login/internal/report"
	"github.com/mcp-login/mcp-login/internal/suggest"
)

type statusOptions struct {
	common
	fromAgent
	json, check, long bool
}

func newStatus(e *call) *cli.Command {
	var o statusOptions
	return e.command(&cli.Command{
		Name: "status", Usage: "Show stored credentials, without secrets",
		ArgsUsage: "[NAME]", UsageText: "mcp-login status notion --check --min-ttl 10m || mcp-login refresh notion",
		Description: "Without NAME, it shows a table of all credentials.\n\n--long also shows the issuer, the client, the flow, a fingerprint of the token, and all times.",
		Flags: append([]cli.Flag{
			boolFlag("check", "Print nothing, and exit with 0 if the token is valid, 1 if a refresh is due, or 4 if a sign-in is required. Valid means for at least --min-ttl", &o.check),
			longFlag(&o.long),
			jsonFlag(&o.json),
		}, o.fromAgent.flags()...),
	}, &o.common, func(ctx context.Context, args []string) error { return runStatus(ctx, e, o, args) })
}

func runStatus(ctx context.Context, e *call, o statusOptions, args []string) error {
	if len(args) == 0 && o.check {
		return exit.Usagef("status: NAME is missing: mcp-login status NAME --check")
	}
	opener := e.open(&o.common)
	from, err := opener.Source(ctx, o.agentSock, false)
	if err != nil {
		return err
	}
	if len(args) == 0 {
		return statusOfAll(ctx, e, o, opener, from)
	}
	r, err := opener.Report(ctx, from, args[0])
	if err != nil {
		return err
	}
	if o.check {
		return stateError(e, r)
	}
	if o.json {
		return e.answerJSON(r)
	}
	text := r.Summary(e.dirs().Tilde)
	if o.long {
		text = report.Details(r)
	}
	if err := e.answerText(text); err != nil {
		return err
	}
	toSignIn(e, r)
	return nil
}

// toSignIn prints the command for each credential that requires a sign-in.
func toSignIn(e *call, all ...report.Credential) {
	for _, r := range all {
		if r.State == mcplogin.StateLogin {
			e.say("next: %s", e.Remedy().LoginCommand(r.Profile, r.Server))
		}
	}
}

// stateError reports the state by the exit code only.
func stateError(e *call, r report.Credential) error {
	switch r.State {
	case mcplogin.StateValid:
		return nil
	case mcplogin.StateRefresh:
		return &exit.Error{Code: exit.Failed}
	}
	return &exit.Error{Code: exit.LoginRequired, Hint: e.Remedy().LoginCommand(r.Profile, r.Server)}
}

// statusOfAll shows a table of all credentials. One that cannot be read does not
// hide the others.
func statusOfAll(ctx context.Context, e *call, o statusOptions, opener access.Opener, from access.Source) error {
	names, err := from.Profiles(ctx)
	if err != nil {
		return err
	}
	var unread, hints []string
	all, err := opener.Reports(ctx, from, names, func(name string, err error) {
		e.say("warning: %s: %s", name, remedy.Text(err))
		unread, hints = append(unread, name), append(hints, strings.Split(e.Remedy().Hint(err), "\n")...)
	})
	slices.Sort(hints)
	for _, hint := range slices.Compact(hints) { // one locked store makes all unreadable
		e.say("hint: %s", hint)
	}
	if err != nil {
		return err
	}
	if o.json {
		return e.answerJSON(all)
	}
	if len(all)+len(unread) == 0 {
		e.say("not signed in to any server")
		e.say("next: %s", suggest.MCPLogin(loginName, "NAME", "URL"))
		return nil
	}
	text := report.Table(all, unread, e.dirs().Tilde)
	if o.long {
		text = report.Details(all...)
	}
	if err := e.answerText(text); err != nil {
		return err
	}
	toSignIn(e, all...)
	return nil
}
