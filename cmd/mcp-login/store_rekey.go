package main

import (
	"context"
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/mcp-login/mcp-login/secrets/file"
	"github.com/mcp-login/mcp-login/secrets/keyring"
)

func newStoreRekey(e *env) *cli.Command {
	var o common
	return e.command(&cli.Command{
		Name: "rekey", Usage: "encrypt a store of files with a new key",
		UsageText:   "mcp-login store rekey --keeper passphrase",
		Description: "--keeper says who keeps the new key, and is by default who kept the old one. A new passphrase is typed, or comes from MCP_LOGIN_NEW_PASSPHRASE, _FILE or _COMMAND. Interrupted, the store works on, and the same command ends it.",
	}, &o, func(ctx context.Context, _ []string) error { return runStoreRekey(ctx, e, &o) })
}

func runStoreRekey(ctx context.Context, e *env, o *common) error {
	dir, files, err := e.filesOf(o)
	if err != nil {
		return err
	}
	if !files {
		return usagef("--store %s: only a store of files has a key of its own", o.store)
	}
	kind, err := kindOf(dir)
	if err != nil {
		return err
	}
	if kind == "" {
		return fmt.Errorf("rekey %s: %w", dir, errNoStore)
	}
	name, err := e.usualKeeper(ctx, dir, true)
	if err != nil {
		return err
	}
	old, err := e.keeper(name, true)
	if err != nil {
		return err
	}
	if o.keeper != "" {
		name = o.keeper
	}
	next, err := e.nextKeeper(ctx, name)
	if err != nil {
		return err
	}
	s, err := file.Open(file.Config{Dir: dir, Keeper: old})
	if err != nil {
		return err
	}
	if err := s.Rekey(ctx, next); err != nil {
		return err
	}
	e.say("rekeyed %s; the new key is kept by: %s", dir, name)
	return nil
}

// nextKeeper is the keeper of the new key. A keyring is tried first: what is
// read back there is all that is left of the key.
func (e *env) nextKeeper(ctx context.Context, name string) (file.Keeper, error) {
	switch name {
	case passphrase:
		from := e.passphrase(nextPassphrase)
		return file.KernelCache{Keeper: file.Passphrase{Read: from.Read("new passphrase: "), New: from.Choose()}}, nil
	case inKeyring:
		if err := (keyring.Keeper{}).Probe(ctx); err != nil {
			return nil, err
		}
	}
	return e.keeper(name, true)
}
