package main

import (
	"context"
	"fmt"
	"time"

	"github.com/urfave/cli/v2"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/agent"
	"github.com/mcp-login/mcp-login/oauth"
	"github.com/mcp-login/mcp-login/secrets"
)

// access is how env, exec, headers and token get at a token.
type access struct {
	common
	login     bool
	agentSock string
}

func (o *access) flags() []cli.Flag {
	return []cli.Flag{
		boolFlag("login", "log in if that is needed, instead of failing with exit code 4", &o.login),
		stringFlag("agent-sock", "ask the mcp-login agent at this socket, instead of the store", "", &o.agentSock),
	}
}

// source is where env, exec, headers and token get what they hand out.
type source struct {
	credential func(ctx context.Context, profile string) (mcplogin.Credential, error)
	store      secrets.Store // nil: an agent is asked
}

// source returns the agent if one is named, else the store. The one is never
// tried in place of the other.
func (e *env) source(ctx context.Context, o *access) (source, error) {
	if o.agentSock == "" {
		store, err := e.openStore(ctx, &o.common, o.login)
		return source{store: store, credential: func(ctx context.Context, profile string) (mcplogin.Credential, error) {
			return e.credential(ctx, o, store, profile)
		}}, err
	}
	if o.login {
		return source{}, usagef("--login and --agent-sock exclude each other: log in where the agent runs")
	}
	e.agent = true
	client := &agent.Client{Socket: o.agentSock, MinTTL: max(o.minTTL, 1)}
	return source{credential: func(ctx context.Context, profile string) (mcplogin.Credential, error) {
		c, err := client.Credential(ctx, profile)
		e.hidden.hide(c.Token.Access)
		return c, err
	}}, nil
}

// config is a session's, but for what a login needs.
func (e *env) config(o *common, store secrets.Store, profile string) (mcplogin.Config, error) {
	client, err := o.client()
	if err != nil {
		return mcplogin.Config{}, err
	}
	return mcplogin.Config{
		Profile: profile, Store: store, HTTP: client, Log: e.slog(), Flows: e.unattended(o, store),
		MinTTL: max(o.minTTL, 1), // 0 would mean the library's default
	}, nil
}

// session opens a session that never asks anybody anything.
func (e *env) session(ctx context.Context, o *common, profile string) (*mcplogin.Session, error) {
	store, err := e.openStore(ctx, o, false)
	if err != nil {
		return nil, err
	}
	cfg, err := e.config(o, store, profile)
	if err != nil {
		return nil, err
	}
	return mcplogin.Open(cfg)
}

// credential returns a credential whose token is valid for --min-ttl,
// refreshed if due. A login is started only with --login.
func (e *env) credential(ctx context.Context, o *access, store secrets.Store, profile string) (mcplogin.Credential, error) {
	cfg, err := e.config(&o.common, store, profile)
	if err != nil {
		return mcplogin.Credential{}, err
	}
	var c mcplogin.Credential
	work := func(s *mcplogin.Session) error {
		c, err = current(ctx, s, cfg.MinTTL, o.login)
		return err
	}
	if o.login {
		err = e.attended(&loginOptions{common: o.common}, cfg, work)
	} else {
		err = unattended(cfg, work)
	}
	e.hidden.hide(c.Token.Access, c.Token.Refresh, c.Token.ID, c.App.Secret, c.App.RegistrationToken)
	return c, err
}

func unattended(cfg mcplogin.Config, work func(*mcplogin.Session) error) error {
	s, err := mcplogin.Open(cfg)
	if err != nil {
		return err
	}
	return work(s)
}

// current reads the store once if the token is valid, else renews it.
func current(ctx context.Context, s *mcplogin.Session, minTTL time.Duration, login bool) (mcplogin.Credential, error) {
	c, err := s.Credential(ctx)
	if err == nil && c.Valid(minTTL) {
		return c, nil
	}
	renew := s.Token
	if login {
		renew = s.Ensure
	}
	var token oauth.Token
	if token, err = renew(ctx); err != nil {
		return c, err
	}
	c, err = s.Credential(ctx)
	c.Token = token // what was handed out, should somebody have renewed it again
	return c, err
}

// answer writes a command's whole answer at once, when nothing can fail any
// more but the writing.
func (e *env) answer(text []byte) error {
	if _, err := e.out.Write(text); err != nil {
		return fmt.Errorf("write the answer: %w", err)
	}
	return nil
}
