package main

import (
	"context"

	"github.com/urfave/cli/v2"
)

type refreshOptions struct {
	common
	fromAgent
}

func newRefresh(e *env) *cli.Command {
	var o refreshOptions
	return e.command(&cli.Command{
		Name: "refresh", Usage: "Get a new token now, even if the stored one is valid",
		ArgsUsage: "NAME", UsageText: "mcp-login refresh notion",
		Flags: o.fromAgent.flags(),
	}, &o.common, func(ctx context.Context, args []string) error { return runRefresh(ctx, e, &o, args[0]) })
}

func runRefresh(ctx context.Context, e *env, o *refreshOptions, profile string) error {
	s, err := e.session(ctx, &o.common, o.fromAgent, profile)
	if err != nil {
		return err
	}
	c, err := s.Refresh(ctx)
	if err != nil {
		return err
	}
	e.say("refreshed %q, token %s", profile, expires(c.Token.Expiry))
	return nil
}
