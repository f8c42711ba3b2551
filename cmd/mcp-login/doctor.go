package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/agent"
	"github.com/mcp-login/mcp-login/flows"
	"github.com/mcp-login/mcp-login/flows/authcode"
	"github.com/mcp-login/mcp-login/internal/doctor"
	"github.com/mcp-login/mcp-login/internal/stores"
	"github.com/mcp-login/mcp-login/internal/suggest"
	"github.com/mcp-login/mcp-login/internal/terminal"
	"github.com/mcp-login/mcp-login/oauth"
	"github.com/mcp-login/mcp-login/secrets"
)

type doctorOptions struct {
	common
	fromAgent fromAgent
	relay     relayOptions
	json      bool
}

const doctorName = "doctor"

func newDoctor(e *env) *cli.Command {
	var o doctorOptions
	return e.command(&cli.Command{
		Name: doctorName, Usage: "Find what keeps a sign-in from working",
		ArgsUsage: "[NAME|URL]", UsageText: "mcp-login doctor https://mcp.notion.com/mcp\nmcp-login doctor notion",
		Description: "Checks the environment and the store. With URL or NAME it also checks the network path to the server and its metadata, and with NAME the stored credential by a request to the server. " +
			"It changes nothing, asks nothing and shows no secret, so you can paste the report into an issue. The exit code is 1 if a check failed.",
		Flags: slices.Concat([]cli.Flag{boolFlag("json", "Print JSON", &o.json)}, o.fromAgent.flags(), o.relay.flags()),
	}, &o.common, func(ctx context.Context, args []string) error { return runDoctor(ctx, e, &o, args) })
}

// errUnwell ends a doctor whose report has said what failed.
var errUnwell = errors.New("a check failed")

func runDoctor(ctx context.Context, e *env, o *doctorOptions, args []string) error {
	findings := e.examineHere(ctx, o)
	if len(args) > 0 {
		more, err := e.examineServer(ctx, o, args[0])
		if err != nil {
			return err
		}
		findings = append(findings, more...)
	}
	for i := range findings {
		findings[i].Detail = e.hidden.Clean(findings[i].Detail)
	}
	var err error
	if o.json {
		err = e.answerJSON(struct {
			Result   doctor.Result    `json:"result"`
			Findings []doctor.Finding `json:"findings"`
		}{doctor.Worst(findings), findings})
	} else {
		err = e.answer(findingsText(findings))
	}
	if err == nil && doctor.Worst(findings) == doctor.Fail {
		return errUnwell
	}
	return err
}

// examineHere looks at where this program runs.
func (e *env) examineHere(ctx context.Context, o *doctorOptions) []doctor.Finding {
	parts := []doctor.Part{
		{Area: "environment", Check: "certificates", Remedy: "name a PEM file of certificates: --ca-cert FILE", Look: func(context.Context) (string, error) {
			_, err := o.roots()
			return cmp.Or(o.caCert, "the system's"), err
		}},
		{Area: "store", Check: "store", Remedy: suggest.MCPLogin("store", "status").String(), Look: func(ctx context.Context) (string, error) { return e.lookAtStore(ctx, o) }},
	}
	configured := e.getenv("VAULT_ADDR") != "" || e.configured("vault-address") != ""
	for _, u := range e.stores(&o.common).Usable(ctx, configured) {
		parts = append(parts, doctor.Part{Area: "store", Check: u.What, Optional: true, Look: func(context.Context) (string, error) { return u.Detail, u.Err }})
	}
	parts = append(parts, doctor.Part{
		Area: "agent", Check: "agent", Remedy: "start it with mcp-login agent, or unset " + agentVariable,
		Look: func(ctx context.Context) (string, error) { return e.lookAtAgent(ctx, o) },
	})
	return doctor.Surroundings{
		Getenv: e.getenv, Flows: flows.Detect(e.surroundings(&loginOptions{relay: o.relay})), Terminal: e.streams().CanAsk(),
		Parts: slices.Concat(e.relayParts(o), parts),
	}.Examine(ctx)
}

// relayParts are the relays that a login would use.
func (e *env) relayParts(o *doctorOptions) []doctor.Part {
	login := &loginOptions{common: o.common, relay: o.relay}
	const check, remedy = "relay", "check --relay and --relay-token-from, and that the relay runs"
	if len(o.relay.addresses()) == 0 {
		return []doctor.Part{{Area: "environment", Check: check, Look: func(context.Context) (string, error) { return "none is configured", nil }}}
	}
	relays, err := e.relayFlows(login, e.prompt(login))
	if err != nil {
		return []doctor.Part{{Area: "environment", Check: check, Remedy: remedy, Look: func(context.Context) (string, error) { return "", err }}}
	}
	var parts []doctor.Part
	for _, r := range relays {
		parts = append(parts, doctor.Part{Area: "environment", Check: check, Remedy: remedy, Look: func(ctx context.Context) (string, error) {
			return relayAddress(r) + " answers", r.(*authcode.Relay).Reach(ctx)
		}})
	}
	return parts
}

// lookAtStore tries the store that the options name.
func (e *env) lookAtStore(ctx context.Context, o *doctorOptions) (string, error) {
	name, err := e.stores(&o.common).Name(o.location())
	if err != nil {
		return "", err
	}
	at, err := e.stores(&o.common).Inspect(ctx, o.location())
	if errors.Is(err, stores.ErrNoStore) || err == nil && at.Path != "" && at.Keeper == "" {
		return name + ": made by the first login", nil
	}
	if err != nil {
		return name, err
	}
	store, err := e.openStore(ctx, &o.common, false)
	if err != nil {
		return name, err
	}
	names, err := store.List(ctx)
	if err != nil {
		return name, err
	}
	return fmt.Sprintf("%s: usable, with %d credentials", name, len(names)), probeStore(ctx, store)
}

// probeStore finds out whether a store can be written, where it can tell.
func probeStore(ctx context.Context, store secrets.Store) error {
	if p, ok := store.(interface{ Probe(context.Context) error }); ok {
		return p.Probe(ctx)
	}
	return nil
}

func (e *env) lookAtAgent(ctx context.Context, o *doctorOptions) (string, error) {
	sock := cmp.Or(o.fromAgent.agentSock, e.getenv(agentVariable))
	if sock == "" {
		return "none is used", nil
	}
	names, err := (&agent.Client{Socket: sock}).Profiles(ctx)
	return fmt.Sprintf("%s keeps %d credentials", sock, len(names)), err
}

// examineServer looks at a server, given by its URL or by the name of a stored
// credential, which is looked at too.
func (e *env) examineServer(ctx context.Context, o *doctorOptions, arg string) ([]doctor.Finding, error) {
	if strings.Contains(arg, "://") {
		if _, err := oauth.CheckURL(arg); err != nil {
			return nil, usageError{err}
		}
		return e.examineURL(ctx, o, arg, mcplogin.LoginOptions{})
	}
	s, err := e.session(ctx, &o.common, o.fromAgent, arg)
	if err != nil {
		return nil, err
	}
	c, err := s.Credential(ctx)
	if errors.Is(err, mcplogin.ErrLoginRequired) {
		return []doctor.Finding{{Area: "credential", Check: arg, Result: doctor.Fail, Detail: "not signed in", Remedy: e.loginCommand(arg, "")}}, nil
	}
	if err != nil {
		return nil, err
	}
	findings, err := e.examineURL(ctx, o, c.Server, c.Login)
	return append(findings, e.examineCredential(ctx, o, s, c)...), err
}

func (e *env) examineURL(ctx context.Context, o *doctorOptions, server string, as mcplogin.LoginOptions) ([]doctor.Finding, error) {
	client, err := e.client(&o.common)
	if err != nil {
		return nil, err
	}
	login := &loginOptions{common: o.common, relay: o.relay}
	here := flows.Detect(e.surroundings(login))
	login.flow = strings.Join(slices.DeleteFunc(strings.Split(flowNames, ", "), func(name string) bool { return name == "ci" || name == "relay" && !here.Relay }), ",")
	var req mcplogin.LoginRequest
	if err := e.choose(login, e.prompt(login), &req); err != nil {
		return nil, err
	}
	return doctor.Server{URL: server, HTTP: client(server), Flows: triedRelays(ctx, req.Flows), Here: here, Options: as, Remedy: func(err error) string {
		_, hint := e.verdict(err)
		return hint
	}}.Examine(ctx), nil
}

// examineCredential tries a stored credential at its server.
func (e *env) examineCredential(ctx context.Context, o *doctorOptions, s *mcplogin.Session, c mcplogin.Credential) []doctor.Finding {
	state := doctor.Finding{Area: "credential", Check: "state", Result: doctor.Pass, Detail: fmt.Sprintf("%s, the token %s", c.Status(0).State, expires(c.Token.Expiry))}
	call := doctor.Finding{Area: "credential", Check: "call", Result: doctor.Pass}
	r, err := e.probe(ctx, &testOptions{common: o.common}, s)
	if err != nil {
		call.Result, call.Detail = doctor.Fail, oauth.Sanitize(err.Error(), 300)
		_, call.Remedy = e.verdict(err)
	} else {
		call.Detail = fmt.Sprintf("the server answers as %s, protocol %s, with %d tools", oauth.Sanitize(r.Name, 100), oauth.Sanitize(r.ProtocolVersion, 40), len(r.Tools))
	}
	return []doctor.Finding{state, call}
}

// findingsText shows a report: a line for each finding, and its remedy below.
func findingsText(findings []doctor.Finding) string {
	var b strings.Builder
	area := ""
	for _, f := range findings {
		if f.Area != area {
			area = f.Area
			b.WriteString(terminal.Linef("%s", area))
		}
		clause := ""
		if f.Clause != "" {
			clause = " (" + f.Clause + ")"
		}
		b.WriteString(terminal.Linef("  %-5s %s: %s%s", f.Result, f.Check, f.Detail, clause))
		for line := range strings.Lines(f.Remedy) {
			b.WriteString(terminal.Linef("        %s", strings.TrimSuffix(line, "\n")))
		}
	}
	return b.String()
}
