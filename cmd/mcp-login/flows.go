package main

import (
	"cmp"
	"context"
	"strings"

	"github.com/mcp-login/mcp-login/flows"
	"github.com/mcp-login/mcp-login/flows/device"
)

// flowNames are the values of --flow, in the order of preference.
const flowNames = "device"

// flows returns what --flow names, in that order.
func (e *env) flows(o *loginOptions, p prompt) ([]flows.Flow, error) {
	var chosen []flows.Flow
	for name := range strings.SplitSeq(cmp.Or(o.flow, flowNames), ",") {
		switch strings.TrimSpace(name) {
		case "device":
			chosen = append(chosen, &device.Flow{Prompt: p, ClientName: o.client.name, Retry: o.retry(p)})
		default:
			return nil, usagef("--flow: there is no flow %q, only %s", name, flowNames)
		}
	}
	return chosen, nil
}

// retry asks before a fresh code is fetched, unless that was said before.
func (o *loginOptions) retry(p prompt) func(context.Context) bool {
	if o.retryExpired {
		return func(ctx context.Context) bool { return ctx.Err() == nil }
	}
	return p.Retry
}
