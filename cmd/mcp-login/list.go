package main

import (
	"context"
	"errors"

	"github.com/urfave/cli/v2"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/internal/report"
	"github.com/mcp-login/mcp-login/internal/source"
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
			boolFlag("long", "Show the server and expiry of each credential", &o.long),
			jsonFlag(&o.json),
		}, o.fromAgent.flags()...),
	}, &o.common, func(ctx context.Context, _ []string) error { return runList(ctx, e, o) })
}

func runList(ctx context.Context, e *call, o listOptions) error {
	from, err := e.source(ctx, &o.common, o.fromAgent, false)
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
	reports, err := e.reports(ctx, &o.common, from, names, nil)
	if err != nil {
		return err
	}
	if o.json {
		return e.answerJSON(reports)
	}
	return e.answer(report.List(reports))
}

// reports reads the named credentials. One that cannot be read is given to unread,
// unless that is nil: then it is the error.
func (e *call) reports(ctx context.Context, o *common, from source.Source, names []string, unread func(name string, err error)) ([]report.Credential, error) {
	all := make([]report.Credential, 0, len(names))
	for _, name := range names {
		r, err := e.report(ctx, o, from, name)
		switch {
		case errors.Is(err, mcplogin.ErrLoginRequired):
			continue // it was removed meanwhile, or is an older version's note of a login that was not completed
		case err != nil && unread != nil:
			unread(name, err)
		case err != nil:
			return nil, err
		default:
			all = append(all, r)
		}
	}
	return all, nil
}
