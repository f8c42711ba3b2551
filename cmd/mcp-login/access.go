package main

import (
	"context"

	"github.com/urfave/cli/v2"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/agent"
	"github.com/mcp-login/mcp-login/internal/confirmed"
	"github.com/mcp-login/mcp-login/internal/exit"
	"github.com/mcp-login/mcp-login/internal/invocation"
	"github.com/mcp-login/mcp-login/internal/report"
	"github.com/mcp-login/mcp-login/internal/signin"
	"github.com/mcp-login/mcp-login/internal/source"
)

// access is how env, exec, headers and token get at a token.
type access struct {
	common
	fromAgent
	login bool
}

func (o *access) flags() []cli.Flag {
	return append([]cli.Flag{
		boolFlag("login", "Sign in if required, instead of failing with exit code 4", &o.login),
	}, o.fromAgent.flags()...)
}

// fromAgent is how a command may ask an agent in place of a store.
type fromAgent struct{ agentSock string }

func (o *fromAgent) flags() []cli.Flag {
	return grouped(groupStore, stringFlag(invocation.AgentFlag, "Use the mcp-login agent at the socket `PATH` instead of a store", "", &o.agentSock))
}

// source returns the agent if one is named, else the store. Only if ask is true
// may the store be a new one, and a person be asked for a passphrase.
func (e *call) source(ctx context.Context, o *common, l fromAgent, ask bool) (source.Source, error) {
	if l.agentSock == "" {
		store, err := e.openStore(ctx, o, ask)
		return source.Source{Store: store}, err
	}
	if e.Typed("expect-issuer") {
		return source.Source{}, exit.Usagef("--expect-issuer and --agent-sock exclude each other: start the agent with it")
	}
	if ask {
		return source.Source{}, exit.Usagef("--login and --agent-sock exclude each other: log in where the agent runs")
	}
	return source.Source{Agent: &agent.Client{Socket: l.agentSock}}, nil
}

// aside has the agent, where the variable names one, look at a new credential. It
// warns of one that is in another store than the agent's, which nobody here reads:
// commands ask the agent.
func (e *call) aside(ctx context.Context, c mcplogin.Credential) {
	sock := e.getenv(invocation.AgentVariable)
	if sock != "" && !source.Shared(ctx, sock, c) {
		e.say("warning: %s is set, so that commands here ask the agent at %s, which does not have this login: log in where it runs, or unset it", invocation.AgentVariable, sock)
	}
}

// config is a session's, but for what a login needs.
func (e *call) config(o *common, from source.Source, profile string) (mcplogin.Config, error) {
	client, err := e.outbound(o).Clients()
	if err != nil {
		return mcplogin.Config{}, err
	}
	cfg := mcplogin.Config{
		Profile: profile, HTTP: client, Log: e.slog(),
		MinTTL: max(o.minTTL, 1), // 0 would mean the library's default
	}
	notes := e.notes()
	from.Into(&cfg, mcplogin.Renewal{Flows: e.nonInteractive(o)}, mcplogin.Trust{
		AcceptServer: signin.ExpectIssuer(o.expectIssuer), Known: notes.Known, Permit: confirmed.Permit{Notes: notes, Names: e.names(o), HTTP: client}.Check,
	})
	return cfg, nil
}

// session opens a session that never asks anybody anything.
func (e *call) session(ctx context.Context, o *common, l fromAgent, profile string) (*mcplogin.Session, error) {
	from, err := e.source(ctx, o, l, false)
	if err != nil {
		return nil, err
	}
	return e.sessionOf(o, from, profile)
}

// sessionOf is session where the source is open already.
func (e *call) sessionOf(o *common, from source.Source, profile string) (*mcplogin.Session, error) {
	cfg, err := e.config(o, from, profile)
	if err != nil {
		return nil, err
	}
	return mcplogin.Open(cfg)
}

// credential returns a credential whose token is valid for --min-ttl,
// refreshed if due. A login is started only with --login.
func (e *call) credential(ctx context.Context, o *access, from source.Source, profile string) (c mcplogin.Credential, err error) {
	cfg, err := e.config(&o.common, from, profile)
	if err != nil {
		return c, err
	}
	if o.login {
		c, err = e.ensure(ctx, &loginOptions{common: o.common}, cfg)
	} else {
		var s *mcplogin.Session
		if s, err = mcplogin.Open(cfg); err == nil {
			c, err = s.Current(ctx)
		}
	}
	e.hidden.Hide(c.Token.Access, c.Token.Refresh, c.Token.ID, c.App.Secret, c.App.RegistrationToken)
	if err == nil && o.minTTL > mcplogin.DefaultMinTTL && !c.Valid(o.minTTL) {
		e.say("warning: the token of %q %s, which is less than --min-ttl %s", profile, report.Expires(c.Token.Expiry), o.minTTL)
	}
	return c, err
}

// ensure returns a credential, by asking a person if there is no other way to a token.
func (e *call) ensure(ctx context.Context, o *loginOptions, cfg mcplogin.Config) (c mcplogin.Credential, err error) {
	place, err := e.place(o)
	if err != nil {
		return c, err
	}
	var req mcplogin.LoginRequest
	if req.Register, err = o.Client.Registration(ctx, place); err != nil {
		return c, err
	}
	err = place.Run(ctx, o.signIn(), cfg, req, func(s *mcplogin.Session, req mcplogin.LoginRequest) error {
		c, err = s.Ensure(ctx, req)
		return err
	})
	return c, err
}
