package main

import (
	"context"
	"errors"
	"strings"

	"github.com/urfave/cli/v2"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/internal/terminal"
)

type listOptions struct {
	common
	fromAgent
	json, long bool
}

func newList(e *env) *cli.Command {
	var o listOptions
	return e.command(&cli.Command{
		Name: "list", Usage: "Print the names of the stored credentials",
		UsageText: "mcp-login list --long",
		Flags: append([]cli.Flag{
			boolFlag("long", "Show the server and expiry of each one", &o.long),
			boolFlag("json", "Print JSON", &o.json),
		}, o.fromAgent.flags()...),
	}, &o.common, func(ctx context.Context, _ []string) error { return runList(ctx, e, o) })
}

func runList(ctx context.Context, e *env, o listOptions) error {
	from, err := e.source(ctx, &o.common, o.fromAgent, false)
	if err != nil {
		return err
	}
	names, err := from.names(ctx)
	if err != nil {
		return err
	}
	if !o.long {
		return e.answerNames(o.json, names)
	}
	reports, err := e.reports(ctx, &o.common, from, names, nil)
	if err != nil {
		return err
	}
	if o.json {
		return e.answerJSON(reports)
	}
	var t terminal.Table
	for _, r := range reports {
		t.Row(r.Profile, r.Server, r.State)
	}
	return e.answer(t.String())
}

// reports reads the named credentials. One that cannot be read is given to unread,
// unless that is nil: then it is the error.
func (e *env) reports(ctx context.Context, o *common, from source, names []string, unread func(name string, err error)) ([]report, error) {
	all := make([]report, 0, len(names))
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

// answerNames prints names alone.
func (e *env) answerNames(asJSON bool, names []string) error {
	if !asJSON {
		var text strings.Builder
		for _, name := range names {
			text.WriteString(terminal.Linef("%s", name))
		}
		return e.answer(text.String())
	}
	type named struct {
		Profile string `json:"profile"`
	}
	all := make([]named, len(names))
	for i, name := range names {
		all[i].Profile = name
	}
	return e.answerJSON(all)
}
