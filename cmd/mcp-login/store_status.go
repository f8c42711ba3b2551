package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/mcp-login/mcp-login/internal/stores"
)

type storeStatusOptions struct {
	common
	json bool
}

func newStoreStatus(e *env) *cli.Command {
	var o storeStatusOptions
	return e.command(&cli.Command{
		Name: "status", Usage: "tell which store it is, who keeps its key, and what that protects against whom",
		UsageText: "mcp-login store status",
		Flags:     []cli.Flag{boolFlag("json", "as JSON", &o.json)},
	}, &o.common, func(ctx context.Context, _ []string) error { return runStoreStatus(ctx, e, o) })
}

func runStoreStatus(ctx context.Context, e *env, o storeStatusOptions) error {
	r, err := e.stores(&o.common).Inspect(ctx, o.location())
	if err != nil {
		return err
	}
	r.Problem = e.hidden.clean(oneLine(r.Problem))
	if o.json {
		return e.answerJSON(r)
	}
	return e.answer(storeText(r))
}

func storeText(r stores.Report) string {
	var t table
	t.fact("store", r.Store)
	t.fact("address", r.Address)
	t.fact("path", r.Path)
	t.fact("mode", r.Mode)
	if r.Path != "" && r.Keeper == "" {
		t.fact("keeper", "chosen by the first login")
	}
	t.fact("keeper", r.Keeper)
	t.fact("key", r.KeyPath)
	t.fact("records", fmt.Sprint(r.Records))
	if r.Unlocked {
		t.fact("unlocked", "the kernel remembers the key")
	}
	if r.Rekeying {
		t.fact("rekeying", "was interrupted: run mcp-login store rekey again")
	}
	t.fact("problem", r.Problem)
	t.fact("safe from", strings.Join(r.SafeFrom, "; "))
	t.fact("readable by", strings.Join(r.ReadableBy, "; "))
	return t.String()
}
