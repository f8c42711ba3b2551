package main

import (
	"context"
	"strings"

	"github.com/urfave/cli/v2"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/flows"
	"github.com/mcp-login/mcp-login/internal/exit"
	"github.com/mcp-login/mcp-login/internal/report"
	"github.com/mcp-login/mcp-login/internal/signin"
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
		Flags: append([]cli.Flag{boolFlag("json", "Print JSON", &o.json)}, relayFlags(&o.login.Relay, &o.login.relays)...),
	}, &o.common, func(ctx context.Context, args []string) error { return runDiscover(ctx, e, o, args[0]) })
}

func runDiscover(ctx context.Context, e *call, o discoverOptions, server string) error {
	if _, err := oauth.CheckURL(server); err != nil {
		return exit.Usage(err)
	}
	client, err := e.outbound(&o.common).Clients()
	if err != nil {
		return err
	}
	login := &o.login
	login.common = o.common
	place, err := e.place(login)
	if err != nil {
		return err
	}
	options := login.signIn()
	here := flows.Detect(place.Surroundings(options))
	options.Flow = strings.Join(here.Order, ",")
	if !here.Browser {
		options.Flow += ",browser" // to be shown with the reason
	}
	all, err := place.Flows(options)
	if err != nil {
		return err
	}
	all = signin.Tried(ctx, all)
	found, err := mcplogin.Discover(ctx, client(server), server)
	if err != nil {
		return err
	}
	d := report.Discover(found, all, here)
	if o.json {
		return e.answerJSON(d)
	}
	return e.answer(d.Text())
}
