package main

import (
	"context"

	"github.com/urfave/cli/v2"

	"github.com/mcp-login/mcp-login/internal/report"
	"github.com/mcp-login/mcp-login/internal/stores"
)

func newStoreRekey(e *call) *cli.Command {
	var o common
	var yes bool
	return e.command(&cli.Command{
		Name: "rekey", Usage: "Encrypt a file store with a new key",
		UsageText: "mcp-login store rekey --keeper passphrase",
		Description: "--keeper sets where the new key is kept (default: in the same place). It asks for a new passphrase, or reads it from MCP_LOGIN_NEW_PASSPHRASE, _FILE or _COMMAND. If it is interrupted, the store still works: run the same command again. " +
			"Before a weaker keeper gets the key, it says who can read the credentials then, and asks.",
		Flags: []cli.Flag{boolFlag("yes", "Use a less secure keeper without asking", &yes)},
	}, &o, func(ctx context.Context, _ []string) error { return runStoreRekey(ctx, e, &o) })
}

func runStoreRekey(ctx context.Context, e *call, o *common) error {
	dir, name, err := e.open(o).Stores().Rekey(ctx, o.Location(), func(w stores.Weaker) error {
		e.say("warning: %s", report.Weaker(w))
		return e.agree(ctx, "Encrypt the store with a new key, kept by "+report.Keeper(w.To.Keeper)+"?", "nothing was changed")
	})
	if err != nil {
		return err
	}
	e.say("encrypted %s with a new key, kept by: %s", e.dirs().Tilde(dir), name)
	return nil
}
