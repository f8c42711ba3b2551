package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/urfave/cli/v2"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/agent"
	"github.com/mcp-login/mcp-login/secrets"
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

const agentFlag = "agent-sock"

// fromAgent is how a command may ask an agent in place of a store.
type fromAgent struct{ agentSock string }

func (o *fromAgent) flags() []cli.Flag {
	return grouped(groupStore, stringFlag(agentFlag, "Use the mcp-login agent at the socket `PATH` instead of a store", "", &o.agentSock))
}

// source is where a command finds credentials: a store, or an agent in its
// place. The one is never tried instead of the other.
type source struct {
	store secrets.Store
	agent *agent.Client // nil: the store is asked
}

// source returns the agent if one is named, else the store. Only if ask is true
// may the store be a new one, and a person be asked for a passphrase.
func (e *env) source(ctx context.Context, o *common, l fromAgent, ask bool) (source, error) {
	if l.agentSock == "" {
		store, err := e.openStore(ctx, o, ask)
		return source{store: store}, err
	}
	if _, typed := e.line.value("expect-issuer"); typed {
		return source{}, usagef("--expect-issuer and --agent-sock exclude each other: start the agent with it")
	}
	if ask {
		return source{}, usagef("--login and --agent-sock exclude each other: log in where the agent runs")
	}
	return source{agent: &agent.Client{Socket: l.agentSock}}, nil
}

// agentVariable is the environment variable of --agent-sock.
const agentVariable = "MCP_LOGIN_AGENT_SOCK"

// aside has the agent, where the variable names one, look at a new credential
// now and not in some minutes. It warns of one that is in another store than the
// agent's, which nobody here reads: commands ask the agent.
func (e *env) aside(ctx context.Context, c mcplogin.Credential) {
	sock := e.getenv(agentVariable)
	if sock == "" {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, asideTime)
	defer cancel()
	s, err := (&agent.Client{Socket: sock}).Status(ctx, c.Profile, 0)
	if err == nil && s.Fingerprint == c.Status(0).Fingerprint {
		return // the agent's store is this one
	}
	e.say("warning: %s is set, so that commands here ask the agent at %s, which does not have this login: log in where it runs, or unset it", agentVariable, sock)
}

// asideTime is how long the agent may take to tell what it has.
const asideTime = 5 * time.Second

// storeHint is what helps where a command that works on the store finds nothing
// in it: login, unless an agent keeps the credentials.
func (e *env) storeHint(login string) string {
	sock := e.getenv(agentVariable)
	if _, asks := e.asksAgent(); asks || sock == "" || len(e.line.path) == 0 || !slices.Contains([]string{"logout", "clear", "export"}, e.line.path[0]) {
		return login
	}
	return fmt.Sprintf("%s is set: the agent at %s keeps the credentials; run this where it runs", agentVariable, sock)
}

// names returns the profiles that there are.
func (s source) names(ctx context.Context) ([]string, error) {
	if s.agent != nil {
		return s.agent.Profiles(ctx)
	}
	return s.store.List(ctx)
}

// config is a session's, but for what a login needs.
func (e *env) config(o *common, from source, profile string) (mcplogin.Config, error) {
	client, err := e.client(o)
	if err != nil {
		return mcplogin.Config{}, err
	}
	cfg := mcplogin.Config{
		Profile: profile, HTTP: client, Log: e.slog(),
		MinTTL: max(o.minTTL, 1), // 0 would mean the library's default
	}
	if from.agent != nil {
		cfg.Source = mcplogin.Brokered(from.agent)
	} else {
		cfg.Source, cfg.AcceptServer = mcplogin.Stored(from.store), o.expected
		cfg.Renewal = mcplogin.Renewal{Flows: e.nonInteractive(o), Permit: e.permit(o, client)}
	}
	return cfg, nil
}

// session opens a session that never asks anybody anything.
func (e *env) session(ctx context.Context, o *common, l fromAgent, profile string) (*mcplogin.Session, error) {
	from, err := e.source(ctx, o, l, false)
	if err != nil {
		return nil, err
	}
	return e.sessionOf(o, from, profile)
}

// sessionOf is session where the source is open already.
func (e *env) sessionOf(o *common, from source, profile string) (*mcplogin.Session, error) {
	cfg, err := e.config(o, from, profile)
	if err != nil {
		return nil, err
	}
	return mcplogin.Open(cfg)
}

// credential returns a credential whose token is valid for --min-ttl,
// refreshed if due. A login is started only with --login.
func (e *env) credential(ctx context.Context, o *access, from source, profile string) (c mcplogin.Credential, err error) {
	cfg, err := e.config(&o.common, from, profile)
	if err != nil {
		return c, err
	}
	if o.login {
		err = e.attended(ctx, &loginOptions{common: o.common}, cfg, mcplogin.LoginRequest{}, func(s *mcplogin.Session, req mcplogin.LoginRequest) error {
			c, err = s.Ensure(ctx, req)
			return err
		})
	} else {
		var s *mcplogin.Session
		if s, err = mcplogin.Open(cfg); err == nil {
			c, err = s.Current(ctx)
		}
	}
	e.hidden.Hide(c.Token.Access, c.Token.Refresh, c.Token.ID, c.App.Secret, c.App.RegistrationToken)
	if err == nil && o.minTTL > mcplogin.DefaultMinTTL && !c.Valid(o.minTTL) {
		e.say("warning: the token of %q %s, which is less than --min-ttl %s", profile, expires(c.Token.Expiry), o.minTTL)
	}
	return c, err
}
