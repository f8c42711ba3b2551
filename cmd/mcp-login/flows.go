package main

import (
	"context"
	"slices"
	"strings"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/flows"
	"github.com/mcp-login/mcp-login/flows/authcode"
	"github.com/mcp-login/mcp-login/flows/device"
	"github.com/mcp-login/mcp-login/internal/terminal"
)

// flowNames are the values of --flow. The first four ask a person.
const flowNames = "browser, device, relay, paste, client-credentials, jwt-bearer, token-exchange, id-jag, ci"

// choose sets a login's flows: what --flow names, what other options leave no
// doubt about, or what suits the surroundings. It says why when one runs.
func (e *env) choose(o *loginOptions, p prompt, req *mcplogin.LoginRequest) error {
	names, order, why := e.flowOrder(o)
	alone := e.nonInteractive(&o.common)
	req.Flows = nil
	for i, name := range order {
		if slices.ContainsFunc(alone, func(f flows.Flow) bool { return f.Name() == name }) {
			continue
		}
		if why, ok := e.browserIsVain(o, name); ok && i < len(order)-1 {
			e.say("flow: browser cannot be used: %s", why)
			continue
		}
		attended, err := e.attendedFlows(name, o, p)
		if err != nil {
			return err
		}
		req.Flows = append(req.Flows, attended...)
	}
	req.Flows = append(req.Flows, alone...)
	req.Options.Flows = names
	req.Chosen = func(c flows.Choice) { e.announce(o, c, why(c.Flow.Name())) }
	req.Skipped = func(c flows.Choice, err error) {
		e.say("flow: %s cannot be used: %s", c.Flow.Name(), terminal.OneLine(err.Error()))
	}
	return nil
}

// browserIsVain reports that a browser flow would only wait: no browser opens here,
// and no terminal is there to paste an answer into. It says why no browser opens.
func (e *env) browserIsVain(o *loginOptions, name string) (why string, vain bool) {
	if _, typed := e.line.value("flow"); name != "browser" || !typed || e.streams().CanAsk() {
		return "", false
	}
	here := flows.Detect(e.surroundings(o))
	return here.Reason, !here.Browser
}

// flowOrder returns the flows that were asked for, nil if none was, those to
// have at hand, and why each comes.
func (e *env) flowOrder(o *loginOptions) (names, order []string, why func(name string) string) {
	if o.flow != "" {
		for name := range strings.SplitSeq(o.flow, ",") {
			name = strings.TrimSpace(name)
			if name == "browser" && o.browser.never {
				name = "paste" // the same without a browser opened here
			}
			names = append(names, name)
		}
		return names, names, func(string) string { return "as --flow says" }
	}
	if name := o.nonInteractive.implied(); name != "" {
		names = []string{name}
		return names, names, func(string) string { return "credentials that need no person were given" }
	}
	d := flows.Detect(e.surroundings(o))
	return nil, d.Order, d.Why
}

// attendedFlows makes the flows of a name that ask a person.
func (e *env) attendedFlows(name string, o *loginOptions, p prompt) ([]flows.Flow, error) {
	switch name {
	case "browser", "paste":
		f, err := e.codeFlow(o, name == "browser")
		return []flows.Flow{f}, err
	case "device":
		return []flows.Flow{&device.Flow{Prompt: p, ClientName: o.client.name, Retry: o.retry(p)}}, nil
	case "relay":
		return e.relayFlows(o, p)
	}
	return nil, unknownValue("--flow", name, strings.Split(flowNames, ", "))
}

// announce says in one line what was chosen and why, and in another which hosts
// leave the issuer's domain, unless a prompt says that in time.
func (e *env) announce(o *loginOptions, c flows.Choice, why string) {
	if !o.json {
		e.say("flow: %s, %s", c.Flow.Name(), why)
	}
	h := authcode.Hosts("", c.Server)
	switch c.Flow.Name() {
	case "device", "relay", "paste":
		return
	case "browser":
	default:
		h.SignIn = "" // nobody does
	}
	if w := h.Warning(); w != "" {
		e.say("warning: %s", w)
	}
}

// retry asks before a fresh code is fetched, unless that was said before.
func (o *loginOptions) retry(p prompt) func(context.Context) bool {
	if o.retryExpired {
		return func(ctx context.Context) bool { return ctx.Err() == nil }
	}
	return p.Retry
}
