package main

import (
	"context"

	"github.com/mcp-login/mcp-login/internal/report"
	"github.com/urfave/cli/v2"
)

type refreshOptions struct {
	common
	fromAgent
}

func newRefresh(e *call) *cli.Command {
	var o refreshOptions
	return e.command(&cli.Command{
		Name: "refresh", Usage: "Refresh the token now, even if it is still valid",
		ArgsUsage: "NAME", UsageText: "mcp-login refresh notion",
		Flags: o.fromAgent.flags(),
	}, &o.common, func(ctx context.Context, args []string) error { return runRefresh(ctx, e, &o, args[0]) })
}

func runRefresh(ctx context.Context, e *call, o *refreshOptions, profile string) error {
	s, err := e.open(&o.common).SessionAt(ctx, o.agentSock, profile)
	if err != nil {
		return err
	}
	c, err := s.Refresh(ctx)
	if err != nil {
		return err
	}
	e.say("refreshed %q; its token %s", profile, report.Expires(c.Token.Expiry))
	return nil
}
