package main

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	"github.com/urfave/cli/v2"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/internal/stores"
	"github.com/mcp-login/mcp-login/internal/suggest"
	"github.com/mcp-login/mcp-login/secrets"
)

func newStore(e *env) *cli.Command {
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
				return usagef("unknown command \"%s %s\"%s", name, word, meantCommand(word, commands))
			}
			return usagef("%s: use one of %s", name, strings.Join(names, ", "))
		},
	}
}

type moveOptions struct {
	common
	to, toKeeper string
}

func newStoreMove(e *env) *cli.Command {
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

func runStoreMove(ctx context.Context, e *env, o moveOptions, names []string) error {
	if o.to == "" {
		return usagef("store move: --to is missing: mcp-login store move --to STORE [NAME...]")
	}
	target := o.common
	target.store, target.keeper = o.to, o.toKeeper
	if same, err := e.stores(&o.common).Same(o.location(), target.location()); err != nil {
		return err
	} else if same {
		return usagef("store move: --to is the store that they are in")
	}
	from, err := e.stores(&o.common).OpenExisting(ctx, o.location())
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
		if err := secrets.Move(ctx, stripped{from, e}, to, name); err != nil {
			return err
		}
		e.say("moved %q", name)
	}
	e.say("next: use --store %s, or set MCP_LOGIN_STORE, or store in the configuration", suggest.Command{o.to})
	return nil
}

// stripped is a store whose records are read without what this user has not
// typed on this host.
type stripped struct {
	secrets.Store
	env *env
}

// Get implements secrets.Store. What a newer version wrote is left as it is:
// this version does not act on it.
func (s stripped) Get(ctx context.Context, name string) ([]byte, secrets.Version, error) {
	data, v, err := s.Store.Get(ctx, name)
	if err != nil {
		return data, v, err
	}
	c, err := mcplogin.ParseCredential(data)
	if errors.Is(err, mcplogin.ErrNewerRecord) || err == nil && !c.HasInputs() {
		return data, v, nil
	}
	if invalid, ok := errors.AsType[*mcplogin.RecordError](err); ok {
		invalid.Profile = name
	}
	if err != nil {
		return nil, v, err
	}
	if c = s.env.withoutDemands(c); c.HasInputs() {
		return data, v, nil
	}
	data, err = json.Marshal(c)
	return data, v, err
}
