package main

import (
	"context"

	"github.com/urfave/cli/v2"

	"github.com/mcp-login/mcp-login/internal/report"
)

type listOptions struct {
	common
	fromAgent
	json, long bool
}

func newList(e *call) *cli.Command {
	var o listOptions
	return e.command(&cli.Command{
		Name: "list", Usage: "List the names of stored credentials",
		UsageText: "mcp-login list --long",
		Flags: append([]cli.Flag{
			longFlag(&o.long),
			jsonFlag(&o.json),
		}, o.fromAgent.flags()...),
	}, &o.common, func(ctx context.Context, _ []string) error { return runList(ctx, e, o) })
}

func runList(ctx context.Context, e *call, o listOptions) error {
	opener := e.open(&o.common)
	from, err := opener.Source(ctx, o.agentSock, false)
	if err != nil {
		return err
	}
	names, err := from.Profiles(ctx)
	if err != nil {
		return err
	}
	if !o.long {
		if o.json {
			return e.answerJSON(report.NamesOf(names))
		}
		return e.answer(report.Names(names))
	}
	reports, err := opener.Reports(ctx, from, names, nil)
	if err != nil {
		return err
	}
	if o.json {
		return e.answerJSON(reports)
	}
	return e.answer(report.List(reports))
}
