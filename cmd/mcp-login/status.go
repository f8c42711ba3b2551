package main

import (
	"context"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/flows"
	"github.com/mcp-login/mcp-login/internal/confirmed"
	"github.com/mcp-login/mcp-login/internal/terminal"
	"github.com/mcp-login/mcp-login/oauth"
)

type statusOptions struct {
	common
	fromAgent
	json, check bool
}

func newStatus(e *env) *cli.Command {
	var o statusOptions
	return e.command(&cli.Command{
		Name: "status", Usage: "Show what is stored, without the secrets",
		ArgsUsage: "[NAME]", UsageText: "mcp-login status notion --check --min-ttl 10m || mcp-login refresh notion",
		Description: "Without NAME it shows a table of all credentials.",
		Flags: append([]cli.Flag{
			boolFlag("check", "Print nothing and exit with 0 if the token is valid for --min-ttl, 1 if a refresh is due, 4 if a sign-in is required", &o.check),
			boolFlag("json", "Print JSON", &o.json),
		}, o.fromAgent.flags()...),
	}, &o.common, func(ctx context.Context, args []string) error { return runStatus(ctx, e, o, args) })
}

// report is what status and list tell of a credential. As JSON it is a
// contract: it is added to, never changed.
type report struct {
	mcplogin.Status
	Store     string       `json:"store,omitempty"`
	Inputs    flows.Inputs `json:"inputs,omitzero"`            // what a renewal reads or asks for on this host
	Confirmed *bool        `json:"inputs_confirmed,omitempty"` // whether this user typed that on this host; nil: it asks for nothing
}

func runStatus(ctx context.Context, e *env, o statusOptions, args []string) error {
	if len(args) == 0 && o.check {
		return usagef("status: NAME is missing: mcp-login status NAME --check")
	}
	from, err := e.source(ctx, &o.common, o.fromAgent, false)
	if err != nil {
		return err
	}
	if len(args) == 0 {
		return e.statusOfAll(ctx, o, from)
	}
	r, err := e.report(ctx, &o.common, from, args[0])
	if err != nil {
		return err
	}
	if o.check {
		return r.check(e)
	}
	if o.json {
		return e.answerJSON(r)
	}
	return e.answer(r.text())
}

// report reads one credential, or has the agent tell of it.
func (e *env) report(ctx context.Context, o *common, from source, profile string) (report, error) {
	if from.agent != nil {
		s, err := from.agent.Status(ctx, profile, o.minTTL)
		return report{Status: s, Store: "agent:" + from.agent.Socket}, err
	}
	s, err := e.sessionOf(o, from, profile)
	if err != nil {
		return report{}, err
	}
	c, err := s.Credential(ctx)
	if err != nil {
		return report{}, err
	}
	store, err := e.stores(o).Name(o.location())
	r := report{Status: c.Status(o.minTTL), Store: store, Inputs: c.Login.Inputs}
	if err == nil && isDemanding(c) {
		known, _ := e.isConfirmed(demandOf(c)) // what cannot be read confirms nothing
		r.Confirmed = &known
	}
	return r, err
}

// check is the answer by exit code alone.
func (r report) check(e *env) error {
	switch r.State {
	case mcplogin.StateValid:
		return nil
	case mcplogin.StateRefresh:
		return &codeError{code: exitFailed}
	}
	return &codeError{code: exitLoginRequired, hint: e.loginCommand(r.Profile, r.Server)}
}

// maxStatus caps one line of what an agent, another host's perhaps, tells.
const maxStatus = 2000

func (r report) text() string {
	var t terminal.Table
	for _, row := range []struct{ label, value string }{
		{"profile", r.Profile},
		{"state", r.State},
		{"reason", r.Reason},
		{"server", r.Server},
		{"resource", r.Resource},
		{"issuer", r.Issuer},
		{"accepted", r.Accepts},
		{"accepted", acceptedMissing(r.MissingIss)},
		{"client", r.ClientID},
		{"flow", r.Flow},
		{"scopes", strings.Join(r.Scopes, " ")},
		{"token", r.Fingerprint},
		{"expires", when(r.Expiry)},
		{"logged in", when(r.LoggedIn)},
		{"refreshed", when(r.Refreshed)},
		{"store", r.Store},
	} {
		t.Fact(row.label, oauth.Sanitize(row.value, maxStatus))
	}
	for _, n := range (demand{confirmed.Demand{Inputs: r.Inputs}}).inputs() {
		t.Fact(n.what, oauth.Sanitize(n.value, maxStatus))
	}
	if r.Confirmed != nil {
		t.Fact("confirmed", map[bool]string{true: "on this host", false: "not on this host"}[*r.Confirmed])
	}
	return t.String()
}

// acceptedMissing says that answers of an issuer may lack its name.
func acceptedMissing(issuer string) string {
	if issuer == "" {
		return ""
	}
	return "answers without iss from " + issuer
}

func when(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.Format(time.RFC3339) + " (" + ago(time.Until(*t)) + ")"
}

func ago(left time.Duration) string {
	if left < 0 {
		return (-left).Round(time.Second).String() + " ago"
	}
	return "in " + left.Round(time.Second).String()
}
