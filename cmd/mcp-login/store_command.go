package main

import (
	"context"
	"errors"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/mcp-login/mcp-login/internal/confirmed"
	"github.com/mcp-login/mcp-login/internal/exit"
	"github.com/mcp-login/mcp-login/internal/report"
	"github.com/mcp-login/mcp-login/internal/stores"
	"github.com/mcp-login/mcp-login/internal/suggest"
	"github.com/mcp-login/mcp-login/secrets"
)

func newStore(e *call) *cli.Command {
	commands := []*cli.Command{newStoreStatus(e), newStoreMove(e), newStoreRekey(e)}
	return group("store", "Inspect the store, move credentials, change its key", commands)
}

// group returns a command that has only subcommands.
func group(name, about string, commands []*cli.Command) *cli.Command {
	var names []string
	for _, c := range commands {
		names = append(names, c.Name)
	}
	return &cli.Command{
		Name: name, Usage: about, Subcommands: commands,
		Action: func(c *cli.Context) error {
			if c.Args().Present() {
				word := c.Args().First()
				return exit.Usagef("unknown command \"%s %s\"%s", name, word, strings.TrimSuffix(suggest.DidYouMean(word, names), "."))
			}
			return exit.Usagef("%s: a command is missing: mcp-login %s %s", name, name, strings.Join(names, "|"))
		},
	}
}

type moveOptions struct {
	common
	to, toKeeper string
	yes          bool
}

func newStoreMove(e *call) *cli.Command {
	var o moveOptions
	return e.command(&cli.Command{
		Name: "move", Usage: "Move credentials to another store",
		ArgsUsage: "[NAME...]", UsageText: "mcp-login store move --to vault:secret/mcp-login notion",
		Description: "It moves all credentials, or the named ones. Each one is copied and verified before the original is removed. If the move is interrupted, run it again. " +
			"Before credentials move to a store that protects them less, it says who can read them there, and asks.",
		Flags: []cli.Flag{
			stringFlag("to", "`STORE` to move to: file:DIR, keyring:DIR or vault:MOUNT/PREFIX", "", &o.to),
			stringFlag("to-keeper", "`KEEPER` of the key of the new store, if it is a file store (see --keeper)", "", &o.toKeeper),
			boolFlag("yes", "Move to a less secure store without asking", &o.yes),
		},
	}, &o.common, func(ctx context.Context, args []string) error { return runStoreMove(ctx, e, o, args) })
}

func runStoreMove(ctx context.Context, e *call, o moveOptions, names []string) error {
	if o.to == "" {
		return exit.Usagef("store move: --to is missing: mcp-login store move --to STORE [NAME...]")
	}
	moved := 0
	err := e.open(&o.common).Stores().Move(ctx, stores.Move{
		From: o.Location(), To: stores.Location{Store: o.to, ProfileDir: o.ProfileDir, Keeper: o.toKeeper}, Names: names,
		Wrap: func(s secrets.Store) secrets.Store {
			return confirmed.Store{Store: s, Strip: e.open(&o.common).WithoutDemands}
		},
		Agree: func(w stores.Weaker, names []string) error {
			e.say("warning: %s", report.Weaker(w))
			return e.agree(ctx, report.Moving(w, names), "nothing was moved")
		},
		Moved: func(name string) { moved++; e.say("moved %q", name) },
	})
	switch {
	case errors.Is(err, stores.ErrSame):
		return exit.Usagef("store move: the credentials are already in that store; to change what keeps its key, use store rekey --keeper")
	case err == nil && moved == 0:
		e.say("nothing to move")
	case err == nil:
		for _, line := range e.open(&o.common).UseStore(o.to) {
			e.say("%s", line)
		}
	}
	return err
}
