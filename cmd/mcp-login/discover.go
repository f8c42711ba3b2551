package main

import (
	"context"
	"slices"

	"github.com/urfave/cli/v2"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/internal/commandline"
	"github.com/mcp-login/mcp-login/internal/report"
)

type discoverOptions struct {
	common
	fromAgent fromAgent
	login     loginOptions // only its relays
	json      bool
}

func newDiscover(e *call) *cli.Command {
	var o discoverOptions
	return e.command(&cli.Command{
		Name: "discover", Usage: "Show how to sign in to a server",
		ArgsUsage: commandline.NameOrURL, UsageText: "mcp-login discover https://mcp.notion.com/mcp",
		Flags: slices.Concat([]cli.Flag{jsonFlag(&o.json)}, o.fromAgent.flags(), relayFlags(&o.login.Relay, &o.login.relays)),
	}, &o.common, func(ctx context.Context, args []string) error { return runDiscover(ctx, e, o, args[0]) })
}

func runDiscover(ctx context.Context, e *call, o discoverOptions, arg string) error {
	opener := e.open(&o.common)
	s, server, err := opener.Addressed(ctx, o.fromAgent.agentSock, arg)
	if err != nil {
		return err
	}
	if s != nil {
		c, err := s.Credential(ctx)
		if err != nil {
			return err
		}
		server = c.Server
	}
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
	return e.answerText(d.Text())
}
