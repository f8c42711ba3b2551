package main

import (
	"context"

	"github.com/urfave/cli/v2"
)

func newStoreRekey(e *env) *cli.Command {
	var o common
	return e.command(&cli.Command{
		Name: "rekey", Usage: "Encrypt a store of files with a new key",
		UsageText:   "mcp-login store rekey --keeper passphrase",
		Description: "--keeper says who keeps the new key, and is by default who kept the old one. A new passphrase is typed, or comes from MCP_LOGIN_NEW_PASSPHRASE, _FILE or _COMMAND. Interrupted, the store works on, and the same command ends it.",
	}, &o, func(ctx context.Context, _ []string) error { return runStoreRekey(ctx, e, &o) })
}

func runStoreRekey(ctx context.Context, e *env, o *common) error {
	dir, name, err := e.stores(o).Rekey(ctx, o.location())
	if err != nil {
		return err
	}
	e.say("rekeyed %s; the new key is kept by: %s", dir, name)
	return nil
}
