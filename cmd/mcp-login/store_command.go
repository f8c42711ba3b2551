package main

import (
	"context"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/mcp-login/mcp-login/internal/confirmed"
	"github.com/mcp-login/mcp-login/internal/exit"
	"github.com/mcp-login/mcp-login/internal/stores"
	"github.com/mcp-login/mcp-login/internal/suggest"
	"github.com/mcp-login/mcp-login/secrets"
)

func newStore(e *call) *cli.Command {
	commands := []*cli.Command{newStoreStatus(e), newStoreMove(e), newStoreRekey(e)}
	return group("store", "Inspect the store, move credentials, change its key", commands)
}

// group is a command that only has others below it.
func group(name, about string, commands []*cli.Command) *cli.Command {
	var names []string
	for _, c := range commands {
		names = append(names, c.Name)
	}
	return &cli.Command{
		Name: name, Usage: about, Subcommands: commands, OnUsageError: usage, HideHelp: true,
		Action: func(c *cli.Context) error {
			if c.Args().Present() {
				word := c.Args().First()
				return exit.Usagef("unknown command \"%s %s\"%s", name, word, strings.TrimSuffix(suggest.DidYouMean(word, names), "."))
			}
			return exit.Usagef("%s: use one of %s", name, strings.Join(names, ", "))
		},
	}
}

type moveOptions struct {
	common
	to, toKeeper string
}

func newStoreMove(e *call) *cli.Command {
	var o moveOptions
	return e.command(&cli.Command{
		Name: "move", Usage: "Move all or the named credentials to another store",
		ArgsUsage: "[NAME...]", UsageText: "mcp-login store move --to vault:secret/mcp-login notion",
		Description: "Each one is copied, verified, and only then removed. If it is interrupted, run it again.",
		Flags: []cli.Flag{
			stringFlag("to", "`STORE` to move to: file:DIR, keyring:DIR or vault:MOUNT/PREFIX", "", &o.to),
			stringFlag("to-keeper", "`KEEPER` of the key of that store, if it keeps files (see --keeper)", "", &o.toKeeper),
		},
	}, &o.common, func(ctx context.Context, args []string) error { return runStoreMove(ctx, e, o, args) })
}

func runStoreMove(ctx context.Context, e *call, o moveOptions, names []string) error {
	if o.to == "" {
		return exit.Usagef("store move: --to is missing: mcp-login store move --to STORE [NAME...]")
	}
	target := o.common
	target.Store, target.Keeper = o.to, o.toKeeper
	if same, err := e.stores(&o.common).Same(o.Location(), target.Location()); err != nil {
		return err
	} else if same {
		return exit.Usagef("store move: --to is the store that they are in")
	}
	from, err := e.stores(&o.common).OpenExisting(ctx, o.Location())
	if err != nil {
		return err
	}
	if len(names) == 0 {
		if names, err = from.List(ctx); err != nil {
			return err
		}
	}
	if len(names) == 0 {
		e.say("there is nothing to move")
		return nil
	}
	to, err := e.openStore(ctx, &target, true)
	if err != nil {
		return err
	}
	if err := stores.Probe(ctx, to); err != nil {
		return err
	}
	for _, name := range names {
		if err := secrets.Move(ctx, confirmed.Store{Store: from, Strip: e.withoutDemands}, to, name); err != nil {
			return err
		}
		e.say("moved %q", name)
	}
	e.say("next: use --store %s, or set MCP_LOGIN_STORE, or store in the configuration", suggest.Command{o.to})
	return nil
}
