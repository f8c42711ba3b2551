package doctor

import (
	"cmp"
	"context"
	"strings"

	"github.com/mcp-login/mcp-login/flows"
	"github.com/mcp-login/mcp-login/internal/netcheck"
	"github.com/mcp-login/mcp-login/internal/netfault"
	"github.com/mcp-login/mcp-login/internal/stores"
	"github.com/mcp-login/mcp-login/oauth"
	"github.com/mcp-login/mcp-login/secrets/keyring"
)

// Environment describes the machine that a login runs on. The caller sets each
// part.
type Environment struct {
	Getenv   func(string) string
	Flows    flows.Detection
	Terminal bool // a terminal is available for prompts
	// Parts are the store, the keepers, the agent and other parts to check, in
	// the order of the report.
	Parts []Part
}

// Part is a part of the environment to check.
type Part struct {
	Area, Check string
	Optional    bool // not an error if unavailable
	// Look returns a description, and an error if the part cannot be used.
	Look   func(context.Context) (detail string, err error)
	Remedy string // if it cannot be used
}

// Examine checks the environment.
func (s Environment) Examine(ctx context.Context) []Finding {
	a := &area{name: "environment"}
	a.proxies(s.Getenv)
	a.browser(s.Flows)
	if s.Terminal {
		a.pass("terminal", "a terminal is available")
	} else {
		a.pass("terminal", "none, so prompts are printed as text")
	}
	findings := a.findings
	for _, p := range s.Parts {
		findings = append(findings, p.Examine(ctx))
	}
	return findings
}

// Examine checks the part.
func (p Part) Examine(ctx context.Context) Finding {
	f := Finding{Area: p.Area, Check: p.Check, Result: Pass}
	detail, err := p.Look(ctx)
	f.Detail = detail
	switch {
	case err != nil && p.Optional:
		f.Result, f.Detail, f.Remedy = Skip, "not usable here: "+strings.TrimPrefix(explained(err), keyring.ErrUnreachable.Error()+": "), p.Remedy
	case err != nil:
		f.Result, f.Detail, f.Remedy = Fail, explained(err), p.Remedy
	}
	return f
}

// explained is the text of an error for people.
func explained(err error) string {
	return oauth.Sanitize(stores.Plain(netfault.Text(err)), 500)
}

// browser reports whether a browser can be opened here, or on the laptop over
// SSH.
func (a *area) browser(here flows.Detection) {
	f := Finding{Area: a.name, Check: "browser", Result: Pass, Detail: here.Reason}
	if !here.Browser {
		f.Detail = "cannot be opened: " + here.Reason
	}
	if here.SSH {
		f.Remedy = "easier: " + flows.OnLaptop
	}
	a.findings = append(a.findings, f)
}

// proxies checks the variables of the HTTP proxy. They may contain a password, so
// it shows only the host.
func (a *area) proxies(getenv func(string) string) {
	mark, used := len(a.findings), ""
	for _, name := range []string{"HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy"} {
		value := getenv(name)
		if value == "" {
			continue
		}
		host, err := netcheck.Proxy(value)
		if err != nil {
			a.fail(name, "it is not the URL of a proxy", "", "set it to http://HOST:PORT, or unset it")
			continue
		}
		used = name + " names " + host
	}
	a.passUnless(mark, "HTTP proxy", cmp.Or(used, "none"))
}
