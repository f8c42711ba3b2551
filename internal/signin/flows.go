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

// FlowNames are the values of --flow. The first four are interactive.
const FlowNames = "browser, device, relay, paste, client-credentials, jwt-bearer, token-exchange, id-jag, ci"

// choose sets a login's flows: those that --flow names, the one that other options
// imply, or those that suit this machine. It says why when one runs.
func (s SignIn) choose(req *mcplogin.LoginRequest) (err error) {
	names := s.named()
	why, easier := func(string) string { return "as set by --flow" }, func(flows.Choice) string { return "" }
	switch {
	case s.Flow != "":
	case len(names) > 0:
		why = func(string) string { return "non-interactive credentials are configured" }
	default:
		here := s.Here()
		names, why, easier = here.Order, here.Why, here.Easier
	}
	if req.Flows, err = s.flows(names); err == nil {
		s.watchChoices(why, easier, req)
	}
	return err
}

// flows returns the flows with these names, and the non-interactive flows.
func (s SignIn) flows(names []string) (all []flows.Flow, err error) {
	for i, name := range names {
		if slices.ContainsFunc(s.WithoutPerson, func(f flows.Flow) bool { return f.Name() == name }) {
			continue
		}
		if why, ok := s.browserOnlyWaits(name); ok && i < len(names)-1 {
			s.Say("flow: browser cannot be used: %s", why)
			continue
		}
		interactive, err := s.interactiveFlows(name)
		if err != nil {
			return nil, err
		}
		all = append(all, interactive...)
	}
	return append(all, s.WithoutPerson...), nil
}

// watchChoices says which flow runs and why, and which ones cannot be used.
func (s SignIn) watchChoices(why func(string) string, easier func(flows.Choice) string, req *mcplogin.LoginRequest) {
	refused, tipShown := false, false
	req.Chosen = func(c flows.Choice) {
		reason := why(c.Flow.Name())
		if refused {
			reason = "because the server does not allow the device flow"
		}
		s.announce(c, reason)
		if tip := easier(c); tip != "" && !tipShown && !s.JSON {
			tipShown = true
			s.Say("tip: %s", tip)
		}
	}
	req.Skipped = func(c flows.Choice, err error) {
		_, answered := errors.AsType[*oauth.Error](err)
		refused = refused || answered && c.Flow.Name() == "device"
		s.Say("flow: %s cannot be used: %s", c.Flow.Name(), terminal.OneLine(err.Error()))
	}
}

// unlessItOnlyWaits returns a flow whose Check fails if it could only wait: no terminal
// to paste into, no program that reads the link, and no option says that the user opens
// the link in a browser that reaches this machine's listener.
func (s SignIn) unlessItOnlyWaits(f *authcode.Flow) flows.Flow {
	switch {
	case f.Paste != nil || s.InClient != nil || s.JSON || s.Browser.Redirect != (authcode.Redirect{}):
	case f.Name() == "paste" && !s.FlowTyped && !s.Browser.Never:
		return pasteWithoutTerminal{f}
	case f.Open != nil && !(s.FlowTyped && strings.HasSuffix(s.Flow, "browser")):
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

// canPaste reports whether the user can paste a URL: at a terminal or, in an MCP
// client, into a call of the tool to sign in.
func (s SignIn) canPaste() bool { return s.InClient != nil || s.CanAsk() }

// pasteWithoutTerminal is a paste flow that cannot be used.
type pasteWithoutTerminal struct{ *authcode.Flow }

// ErrNobodyPastes means that a paste flow cannot be used without a terminal.
var ErrNobodyPastes = fmt.Errorf("no terminal is available to paste the browser's answer: %w", flows.ErrUnsupported)

// Metadata implements [flows.Registrant].
func (pasteWithoutTerminal) Metadata() (oauth.ClientMetadata, error) {
	return oauth.ClientMetadata{}, ErrNobodyPastes
}

// Run implements [flows.Flow].
func (pasteWithoutTerminal) Run(context.Context, flows.Request) (oauth.Token, error) {
	return oauth.Token{}, ErrNobodyPastes
}

// browserOnlyWaits reports whether a browser flow could only wait: no browser opens
// here, and no terminal is available to paste into. It returns why no browser opens.
func (s SignIn) browserOnlyWaits(name string) (why string, onlyWaits bool) {
	if name != "browser" || !s.FlowTyped || s.canPaste() {
		return "", false
	}
	here := s.Here()
	return here.Reason, !here.Browser
}

// named returns the flows that --flow names, or the one that other options imply; nil:
// none.
func (s SignIn) named() (names []string) {
	if s.Flow == "" {
		if name := s.NonInteractive.implied(); name != "" {
			return []string{name}
		}
		return nil
	}
	for name := range strings.SplitSeq(s.Flow, ",") {
		name = strings.TrimSpace(name)
		if name == "browser" && s.Browser.Never {
			name = "paste" // the same without a browser opened here
		}
		names = append(names, name)
	}
	return names
}

// interactiveFlows returns the interactive flows with a name.
func (s SignIn) interactiveFlows(name string) ([]flows.Flow, error) {
	switch name {
	case "browser", "paste":
		f, err := s.codeFlow(name == "browser")
		if err != nil {
			return nil, err
		}
		return []flows.Flow{s.unlessItOnlyWaits(f)}, nil
	case "device":
		return []flows.Flow{&device.Flow{Prompt: s.prompt, ClientName: s.Client.Name, Retry: s.retry}}, nil
	case "relay":
		return s.Relays()
	}
	return nil, exit.Unknown("--flow", name, strings.Split(FlowNames, ", "))
}

// announce says in one line what was chosen and why, and in another which hosts
// leave the issuer's domain, unless a prompt says that in time.
func (s SignIn) announce(c flows.Choice, why string) {
	if !s.JSON {
		s.Say("flow: %s, %s", c.Flow.Name(), why)
	}
	h := authcode.Hosts("", c.Server)
	switch c.Flow.Name() {
	case "device", "relay", "paste":
		return
	case "browser":
	default:
		h.SignIn = "" // there is no sign-in page
	}
	if w := h.Warning(); w != "" {
		s.Say("warning: %s", w)
	}
}

// retry asks before a new code is requested, unless RetryExpired is set.
func (s SignIn) retry(ctx context.Context) bool {
	if s.RetryExpired {
		return ctx.Err() == nil
	}
	return s.prompt.Retry(ctx)
}
