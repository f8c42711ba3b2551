package main

import (
	"context"

	"github.com/urfave/cli/v2"

	"github.com/mcp-login/mcp-login/internal/suggest"
)

func newToken(e *call) *cli.Command {
	var o tokenOptions
	return e.command(&cli.Command{
		Name: "token", Usage: "Print the access token",
		ArgsUsage: "NAME", UsageText: suggest.Assign("TOKEN", suggest.MCPLogin("token", "notion")),
		Flags: o.flags(),
	}, &o.common, func(ctx context.Context, args []string) error { return runToken(ctx, e, o, args[0]) })
}

func runToken(ctx context.Context, e *call, o tokenOptions, profile string) error {
	opener := e.open(&o.common)
	from, err := opener.Source(ctx, o.agentSock, o.login)
	if err != nil {
		return err
	}
	c, err := opener.Credential(ctx, from, profile, o.login)
	if err != nil {
		return err
	}
	return e.answerData([]byte(c.Token.Access + "\n"))
}
