package main

import (
	"context"

	"github.com/urfave/cli/v2"

	"github.com/mcp-login/mcp-login/internal/report"
	"github.com/mcp-login/mcp-login/internal/secretref"
	"github.com/mcp-login/mcp-login/internal/terminal"
)

type storeStatusOptions struct {
	common
	json bool
}

func newStoreStatus(e *call) *cli.Command {
	var o storeStatusOptions
	return e.command(&cli.Command{
		Name: "status", Usage: "Show where credentials are stored and how they are protected",
		UsageText: "mcp-login store status",
		Flags:     []cli.Flag{jsonFlag(&o.json)},
	}, &o.common, func(ctx context.Context, _ []string) error { return runStoreStatus(ctx, e, o) })
}

func runStoreStatus(ctx context.Context, e *call, o storeStatusOptions) error {
	r, err := e.open(&o.common).Stores().Inspect(ctx, o.Location())
	if err != nil {
		return err
	}
	r.Problem = e.hidden.Clean(terminal.OneLine(r.Problem))
	if o.json {
		return e.answerJSON(r)
	}
	return e.answerText(report.Store(r, e.Remedy().Hint(secretref.ErrLocked)))
}
