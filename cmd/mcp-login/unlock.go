package main

import (
	"context"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/mcp-login/mcp-login/internal/exit"
	"github.com/mcp-login/mcp-login/internal/printable"
	"github.com/mcp-login/mcp-login/internal/suggest"
)

type unlockOptions struct {
	common
	lasts time.Duration
}

const defaultUnlock = 8 * time.Hour

func newUnlock(e *call) *cli.Command {
	var o unlockOptions
	return e.command(&cli.Command{
		Name: "unlock", Usage: "Unlock a passphrase store for a limited time",
		UsageText:   "mcp-login unlock --for 8h",
		Description: "It keeps the store's key in the Linux kernel. Until the time ends, no command needs the passphrase, and every program that runs as you on this machine can open the store. To end it earlier, run mcp-login lock or restart the machine.",
		Flags:       []cli.Flag{durationFlag("for", "Keep the key for `DURATION`", defaultUnlock, &o.lasts)},
	}, &o.common, func(ctx context.Context, _ []string) error { return runUnlock(ctx, e, o) })
}

func runUnlock(ctx context.Context, e *call, o unlockOptions) error {
	if o.lasts < time.Second {
		return exit.Usagef("--for %s: use at least 1s", printable.Duration(o.lasts))
	}
	dir, err := e.open(&o.common).Stores().Unlock(ctx, o.Location(), o.lasts)
	if err != nil {
		return err
	}
	e.say("unlocked %s for %s; to lock it, run %s", e.dirs().Tilde(dir), printable.Duration(o.lasts), suggest.MCPLogin("lock").With(e.StoreFlags()...))
	return nil
}

func newLock(e *call) *cli.Command {
	var o common
	return e.command(&cli.Command{
		Name: "lock", Usage: "Lock the store again", UsageText: "mcp-login lock",
	}, &o, func(ctx context.Context, _ []string) error { return runLock(ctx, e, &o) })
}

func runLock(ctx context.Context, e *call, o *common) error {
	dir, err := e.open(o).Stores().Lock(ctx, o.Location())
	if err != nil {
		return err
	}
	e.say("locked %s", e.dirs().Tilde(dir))
	return nil
}
