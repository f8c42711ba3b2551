package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/mcp-login/mcp-login/internal/stores"
	"github.com/mcp-login/mcp-login/internal/terminal"
)

type storeStatusOptions struct {
	common
	json bool
}

func newStoreStatus(e *env) *cli.Command {
	var o storeStatusOptions
	return e.command(&cli.Command{
		Name: "status", Usage: "Show where the store is, what keeps its key, and what that protects against",
		UsageText: "mcp-login store status",
		Flags:     []cli.Flag{boolFlag("json", "Print JSON", &o.json)},
	}, &o.common, func(ctx context.Context, _ []string) error { return runStoreStatus(ctx, e, o) })
}

func runStoreStatus(ctx context.Context, e *env, o storeStatusOptions) error {
	r, err := e.stores(&o.common).Inspect(ctx, o.location())
	if err != nil {
		return err
	}
	r.Problem = e.hidden.Clean(terminal.OneLine(r.Problem))
	if o.json {
		return e.answerJSON(r)
	}
	return e.answer(storeText(r))
}

func storeText(r stores.Report) string {
	var t terminal.Table
	t.Fact("store", r.Store)
	t.Fact("address", r.Address)
	t.Fact("path", r.Path)
	t.Fact("mode", r.Mode)
	if r.Path != "" && r.Keeper == "" {
		t.Fact("keeper", "chosen by the first login")
	}
	t.Fact("keeper", r.Keeper)
	t.Fact("key", r.KeyPath)
	t.Fact("records", fmt.Sprint(r.Records))
	if r.Unlocked {
		t.Fact("unlocked", "the kernel remembers the key")
	}
	if r.Rekeying {
		t.Fact("rekeying", "was interrupted: run mcp-login store rekey again")
	}
	t.Fact("problem", r.Problem)
	t.Fact("safe from", strings.Join(r.SafeFrom, "; "))
	t.Fact("readable by", strings.Join(r.ReadableBy, "; "))
	return t.String()
}
