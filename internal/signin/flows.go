package signin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/mcp-login/mcp-login/internal/exit"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/flows"
	"github.com/mcp-login/mcp-login/flows/authcode"
	"github.com/mcp-login/mcp-login/flows/device"
	"github.com/mcp-login/mcp-login/internal/terminal"
	"github.com/mcp-login/mcp-login/oauth"
)

// FlowNames are the values of --flow. The first four ask a person.
const FlowNames = "browser, device, relay, paste, client-credentials, jwt-bearer, token-exchange, id-jag, ci"

// choose sets a login's flows: those that --flow names, the one that other options
// imply, or those that suit this machine. It says why when one runs.
func (e Place) choose(o *Options, p Prompt, req *mcplogin.LoginRequest) error {
	_, order, why, easier := e.flowOrder(o)
	alone := e.NonInteractive
	req.Flows = nil
	for i, name := range order {
		if slices.ContainsFunc(alone, func(f flows.Flow) bool { return f.Name() == name }) {
			continue
		}
		if why, ok := e.browserOnlyWaits(o, name); ok && i < len(order)-1 {
			e.Say("flow: browser cannot be used: %s", why)
			continue
		}
		interactive, err := e.interactiveFlows(name, o, p)
		if err != nil {
			return err
		}
		req.Flows = append(req.Flows, interactive...)
	}
	req.Flows = append(req.Flows, alone...)
	e.watchChoices(o, why, easier, req)
	return nil
}

// watchChoices says which flow runs and why, and which ones cannot be used.
func (e Place) watchChoices(o *Options, why func(string) string, easier func(flows.Choice) string, req *mcplogin.LoginRequest) {
	refused, tipShown := false, false
	req.Chosen = func(c flows.Choice) {
		reason := why(c.Flow.Name())
		if refused {
			reason = "because the server does not allow the device flow"
		}
		e.announce(o, c, reason)
		if tip := easier(c); tip != "" && !tipShown && !o.JSON {
			tipShown = true
			e.Say("tip: %s", tip)
		}
	}
	req.Skipped = func(c flows.Choice, err error) {
		_, answered := errors.AsType[*oauth.Error](err)
		refused = refused || answered && c.Flow.Name() == "device"
		e.Say("flow: %s cannot be used: %s", c.Flow.Name(), terminal.OneLine(err.Error()))
	}
}

// unlessItOnlyWaits returns a flow that gives way where it would only wait: there is no
// terminal to paste into and no program that reads the link, and no option says that
// somebody opens the link in a browser that reaches this machine's listener.
func (e Place) unlessItOnlyWaits(o *Options, f *authcode.Flow) flows.Flow {
	switch {
	case f.Paste != nil || o.InClient != nil || o.JSON || o.Browser.Redirect != (authcode.Redirect{}):
	case f.Name() == "paste" && !e.FlowTyped && !o.Browser.Never:
		return pasteWithoutTerminal{f}
	case f.Open != nil && !(e.FlowTyped && strings.HasSuffix(o.Flow, "browser")):
		open := f.Open
		f.Open = func(ctx context.Context, url string) error {
			err := open(ctx, url)
			if err != nil {
				err = fmt.Errorf("%w; %w", err, ErrNobodyPastes)
			}
			return err
		}
	}
	return f
}

// canPaste reports whether a person can paste an address: at a terminal or, in an MCP
// client, into a call of the tool to sign in.
func (e Place) canPaste(o *Options) bool { return o.InClient != nil || e.CanAsk() }

// pasteWithoutTerminal is a paste flow that cannot be used.
type pasteWithoutTerminal struct{ *authcode.Flow }

// ErrNobodyPastes is why a paste flow gives way where there is no terminal.
var ErrNobodyPastes = fmt.Errorf("no terminal is available to paste the browser's answer: %w", flows.ErrUnsupported)

// Metadata implements [flows.Registrant].
func (pasteWithoutTerminal) Metadata() (oauth.ClientMetadata, error) {
	return oauth.ClientMetadata{}, ErrNobodyPastes
}

// Run implements [flows.Flow].
func (pasteWithoutTerminal) Run(context.Context, flows.Request) (oauth.Token, error) {
	return oauth.Token{}, ErrNobodyPastes
}

// Flows returns the flows that a login with these options could run.
func (e Place) Flows(o *Options) ([]flows.Flow, error) {
	var req mcplogin.LoginRequest
	err := e.choose(o, e.Prompt(o), &req)
	return req.Flows, err
}

// browserOnlyWaits reports that a browser flow would only wait: no browser opens here,
// and no terminal is there to paste an answer into. It says why no browser opens.
func (e Place) browserOnlyWaits(o *Options, name string) (why string, onlyWaits bool) {
	if name != "browser" || !e.FlowTyped || e.canPaste(o) {
		return "", false
	}
	here := flows.Detect(e.Environment(o))
	return here.Reason, !here.Browser
}

// flowOrder returns the flows that were requested, nil if none was; the flows to try,
// best first; why each is tried; and a way to sign in that is easier than one.
func (e Place) flowOrder(o *Options) (names, order []string, why func(name string) string, easier func(flows.Choice) string) {
	easier = func(flows.Choice) string { return "" } // than what the user wants
	if o.Flow != "" {
		for name := range strings.SplitSeq(o.Flow, ",") {
			name = strings.TrimSpace(name)
			if name == "browser" && o.Browser.Never {
				name = "paste" // the same without a browser opened here
			}
			names = append(names, name)
		}
		return names, names, func(string) string { return "as set by --flow" }, easier
	}
	if name := o.NonInteractive.implied(); name != "" {
		names = []string{name}
		return names, names, func(string) string { return "non-interactive credentials are configured" }, easier
	}
	d := flows.Detect(e.Environment(o))
	return nil, d.Order, d.Why, d.Easier
}

// interactiveFlows makes the flows of a name that ask a person.
func (e Place) interactiveFlows(name string, o *Options, p Prompt) ([]flows.Flow, error) {
	switch name {
	case "browser", "paste":
		f, err := e.codeFlow(o, name == "browser")
		if err != nil {
			return nil, err
		}
		return []flows.Flow{e.unlessItOnlyWaits(o, f)}, nil
	case "device":
		return []flows.Flow{&device.Flow{Prompt: p, ClientName: o.Client.Name, Retry: o.retry(p)}}, nil
	case "relay":
		return e.Relays(o, p)
	}
	return nil, exit.Unknown("--flow", name, strings.Split(FlowNames, ", "))
}

// announce says in one line what was chosen and why, and in another which hosts
// leave the issuer's domain, unless a prompt says that in time.
func (e Place) announce(o *Options, c flows.Choice, why string) {
	if !o.JSON {
		e.Say("flow: %s, %s", c.Flow.Name(), why)
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
		e.Say("warning: %s", w)
	}
}

// retry asks before a fresh code is fetched, unless that was said before.
func (o *Options) retry(p Prompt) func(context.Context) bool {
	if o.RetryExpired {
		return func(ctx context.Context) bool { return ctx.Err() == nil }
	}
	return p.Retry
}
