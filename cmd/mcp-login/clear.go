package main

import (
	"context"
	"slices"

	"github.com/urfave/cli/v2"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/internal/remedy"
	"github.com/mcp-login/mcp-login/internal/report"
)

type clearOptions struct {
	common
	expired bool
}

func newClear(e *call) *cli.Command {
	var o clearOptions
	return e.command(&cli.Command{
		Name: "clear", Usage: "Remove credentials without revoking their tokens",
		ArgsUsage: "[NAME...]", UsageText: "mcp-login clear notion",
		Flags: []cli.Flag{boolFlag("expired", "Remove every credential that can no longer be used or renewed", &o.expired)},
	}, &o.common, func(ctx context.Context, args []string) error { return runClear(ctx, e, &o, args) })
}

func runClear(ctx context.Context, e *call, o *clearOptions, names []string) error {
	names, err := chosen(ctx, e, &o.common, "clear", "--expired", o.expired, names)
	if err != nil {
		return err
	}
	if o.expired {
		if names, err = expired(ctx, e, &o.common, names); err != nil {
			return err
		}
		if len(names) == 0 {
			e.say("nothing to remove: every credential can still be used or renewed")
			return nil
		}
	}
	return eachProfile(e, names, func(e *call, o *common, name string) error {
		err := e.open(o).Clear(ctx, name)
		if err == nil {
			e.say("removed %q; its tokens remain valid at the server until they expire", name)
		}
		return err
	})
}

// expired returns the profiles that require a sign-in. It omits those that cannot
// be read.
func expired(ctx context.Context, e *call, o *common, names []string) ([]string, error) {
	opener := e.open(o)
	from, err := opener.Source(ctx, "", false)
	if err != nil {
		return nil, err
	}
	all, err := opener.Reports(ctx, from, names, func(name string, err error) { e.say("warning: %s: %s", name, remedy.Text(err)) })
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(r report.Credential) bool { return r.State != mcplogin.StateLogin })
	names = nil
	for _, r := range all {
		names = append(names, r.Profile)
	}
	return names, nil
}
