package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/mcp-login/mcp-login/flows"
	"github.com/mcp-login/mcp-login/flows/device"
	"github.com/mcp-login/mcp-login/oauth"
)

// flowNames are the values of --flow.
const flowNames = "browser, device, paste"

// flows returns what --flow names, in that order, or what suits the
// surroundings. Each says why it was chosen when it runs.
func (e *env) flows(o *loginOptions, p prompt) ([]flows.Flow, error) {
	order, why := e.flowOrder(o)
	var chosen []flows.Flow
	for _, name := range order {
		f, err := e.flow(strings.TrimSpace(name), o, p)
		if err != nil {
			return nil, err
		}
		chosen = append(chosen, announced{f, func(name string) { e.announce(o, name, why(name)) }})
	}
	return chosen, nil
}

// flowOrder returns the names of flows, best first, and why each comes.
func (e *env) flowOrder(o *loginOptions) (order []string, why func(name string) string) {
	if o.flow != "" {
		return strings.Split(o.flow, ","), func(string) string { return "as --flow says" }
	}
	d := flows.Detect(e.surroundings(o.browser))
	known := func(name string) bool { return strings.Contains(flowNames, name) }
	return slices.DeleteFunc(d.Order, func(name string) bool { return !known(name) }), d.Why
}

func (e *env) flow(name string, o *loginOptions, p prompt) (flows.Registrant, error) {
	switch name {
	case "browser":
		return e.codeFlow(o, !o.browser.never)
	case "paste":
		return e.codeFlow(o, false)
	case "device":
		return &device.Flow{Prompt: p, ClientName: o.client.name, Retry: o.retry(p)}, nil
	}
	return nil, usagef("--flow: there is no flow %q, only %s", name, flowNames)
}

// announced is a flow that says why it was chosen before it begins.
type announced struct {
	flows.Registrant
	say func(name string)
}

func (a announced) Run(ctx context.Context, r flows.Request) (oauth.Token, error) {
	a.say(a.Name())
	return a.Registrant.Run(ctx, r)
}

// announce says in one line what was chosen and why.
func (e *env) announce(o *loginOptions, name, why string) {
	if !o.json {
		fmt.Fprintf(e.err, "flow: %s, %s\n", name, why)
	}
}

// retry asks before a fresh code is fetched, unless that was said before.
func (o *loginOptions) retry(p prompt) func(context.Context) bool {
	if o.retryExpired {
		return func(ctx context.Context) bool { return ctx.Err() == nil }
	}
	return p.Retry
}
