package main

import (
	"context"

	"github.com/urfave/cli/v2"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/internal/remedy"
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
	if err := checkNames("clear", "--expired", o.expired, names); err != nil {
		return err
	}
	if o.expired {
		var err error
		if names, err = expired(ctx, e, &o.common); err != nil {
			return err
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

// expired returns the profiles that require a sign-in, and says why there are none. It
// omits those that cannot be read.
func expired(ctx context.Context, e *call, o *common) (due []string, err error) {
	opener := e.open(o)
	from, err := opener.Source(ctx, "", false)
	if err != nil {
		return nil, err
	}
	names, err := from.Profiles(ctx)
	if err != nil {
		return nil, err
	}
	all, err := opener.Reports(ctx, from, names, func(name string, err error) { e.say("warning: %s: %s", name, remedy.Text(err)) })
	if err != nil {
		return nil, err
	}
	for _, r := range all {
		if r.State == mcplogin.StateLogin {
			due = append(due, r.Profile)
		}
	}
	switch {
	case len(names) == 0:
		e.say("nothing to remove: no credential is stored")
	case len(all) == 0:
	case len(due) == 0 && len(all) < len(names):
		e.say("nothing to remove: every credential that can be read can still be used or renewed")
	case len(due) == 0:
		e.say("nothing to remove: every credential can still be used or renewed")
	}
	return due, nil
}
