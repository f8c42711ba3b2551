package main

import (
	"context"

	"github.com/urfave/cli/v2"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/internal/confirmed"
	"github.com/mcp-login/mcp-login/internal/exit"
	"github.com/mcp-login/mcp-login/internal/report"
	"github.com/mcp-login/mcp-login/internal/source"
)

type statusOptions struct {
	common
	fromAgent
	json, check bool
}

func newStatus(e *call) *cli.Command {
	var o statusOptions
	return e.command(&cli.Command{
		Name: "status", Usage: "Show stored credentials, without secrets",
		ArgsUsage: "[NAME]", UsageText: "mcp-login status notion --check --min-ttl 10m || mcp-login refresh notion",
		Description: "Without NAME, it shows a table of all credentials.",
		Flags: append([]cli.Flag{
			boolFlag("check", "Print nothing. Exit with 0 if the token is valid for --min-ttl, 1 if a refresh is due, 4 if a sign-in is required", &o.check),
			boolFlag("json", "Print JSON", &o.json),
		}, o.fromAgent.flags()...),
	}, &o.common, func(ctx context.Context, args []string) error { return runStatus(ctx, e, o, args) })
}

func runStatus(ctx context.Context, e *call, o statusOptions, args []string) error {
	if len(args) == 0 && o.check {
		return exit.Usagef("status: NAME is missing: mcp-login status NAME --check")
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
		return e.checked(r)
	}
	if o.json {
		return e.answerJSON(r)
	}
	return e.answer(r.Text())
}

// report reads one credential, or has the agent tell of it.
func (e *call) report(ctx context.Context, o *common, from source.Source, profile string) (report.Credential, error) {
	if from.Agent != nil {
		s, err := from.Agent.Status(ctx, profile, o.MinTTL)
		return report.Credential{Status: s, Store: "agent:" + from.Agent.Socket}, err
	}
	s, err := e.sessionOf(o, from, profile)
	if err != nil {
		return report.Credential{}, err
	}
	c, err := s.Credential(ctx)
	if err != nil {
		return report.Credential{}, err
	}
	store, err := e.stores(o).Name(o.Location())
	r := report.Credential{Status: c.Status(o.MinTTL), Store: store, Inputs: c.Login.Inputs}
	if err == nil && confirmed.Demands(c) {
		known := e.open(o).Notes().Known(c)
		r.Confirmed = &known
	}
	return r, err
}

// checked is the answer by exit code alone.
func (e *call) checked(r report.Credential) error {
	switch r.State {
	case mcplogin.StateValid:
		return nil
	case mcplogin.StateRefresh:
		return &exit.Error{Code: exit.Failed}
	}
	return &exit.Error{Code: exit.LoginRequired, Hint: e.Remedy().LoginCommand(r.Profile, r.Server)}
}
