package main

import (
	"context"

	"github.com/urfave/cli/v2"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/internal/exit"
	"github.com/mcp-login/mcp-login/internal/report"
	"github.com/mcp-login/mcp-login/oauth"
)

type discoverOptions struct {
	common
	login loginOptions // its relays alone
	json  bool
}

func newDiscover(e *call) *cli.Command {
	var o discoverOptions
	return e.command(&cli.Command{
		Name: "discover", Usage: "Show how to sign in to a server",
		ArgsUsage: "URL", UsageText: "mcp-login discover https://mcp.notion.com/mcp",
		Flags: append([]cli.Flag{jsonFlag(&o.json)}, relayFlags(&o.login.Relay, &o.login.relays)...),
	}, &o.common, func(ctx context.Context, args []string) error { return runDiscover(ctx, e, o, args[0]) })
}

func runDiscover(ctx context.Context, e *call, o discoverOptions, server string) error {
	if _, err := oauth.CheckURL(server); err != nil {
		return exit.Usage(err)
	}
	opener := e.open(&o.common)
	client, err := opener.Servers()
	if err != nil {
		return err
	}
	in, err := opener.SignIn(o.login.signIn())
	if err != nil {
		return err
	}
	all, err := in.Suited(ctx)
	if err != nil {
		return err
	}
	found, err := mcplogin.Discover(ctx, client(server), server)
	if err != nil {
		return err
	}
	d := report.Discover(found, all, in.Here())
	if o.json {
		return e.answerJSON(d)
	}
	return e.answer(d.Text())
}
