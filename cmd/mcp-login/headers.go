package main

import (
	"context"
	"slices"

	"github.com/mcp-login/mcp-login/internal/clientconfig"
	"github.com/mcp-login/mcp-login/internal/exit"
	"github.com/urfave/cli/v2"
)

type headersOptions struct {
	tokenOptions
	json, curl, raw bool
}

func newHeaders(e *call) *cli.Command {
	var o headersOptions
	return e.command(&cli.Command{
		Name: "headers", Usage: "Print the HTTP headers that authorize a request",
		ArgsUsage: "NAME", UsageText: `mcp-login headers notion --curl | curl -H @- https://mcp.notion.com/mcp`,
		Flags: slices.Concat([]cli.Flag{
			boolFlag("json", "Print a JSON object, for header helpers of AI clients (the default)", &o.json),
			boolFlag("curl", "Print lines for curl -H @-", &o.curl),
			boolFlag("raw", "Print only the value of Authorization", &o.raw),
		}, o.tokenOptions.flags()),
	}, &o.common, func(ctx context.Context, args []string) error { return runHeaders(ctx, e, o, args[0]) })
}

func runHeaders(ctx context.Context, e *call, o headersOptions, profile string) error {
	if o.json && o.curl || o.json && o.raw || o.curl && o.raw {
		return exit.Usagef("headers: use only one of --json, --curl and --raw")
	}
	opener := e.open(&o.common)
	from, err := opener.Source(ctx, o.agentSock, o.login)
	if err != nil {
		return err
	}
	c, err := opener.Credential(ctx, from, profile, o.login)
	if err != nil {
		return err
	}
	if err := clientconfig.CheckCaller(e.getenv, c.Server); err != nil {
		return err
	}
	value, err := c.Authorization()
	if err != nil {
		return err
	}
	switch {
	case o.raw:
		return e.answerData([]byte(value + "\n"))
	case o.curl:
		return e.answerData([]byte("Authorization: " + value + "\n"))
	}
	return e.answerJSON(map[string]string{"Authorization": value})
}
