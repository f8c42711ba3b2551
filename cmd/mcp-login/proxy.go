package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/urfave/cli/v2"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/internal/proxy"
	"github.com/mcp-login/mcp-login/internal/terminal"
	"github.com/mcp-login/mcp-login/oauth"
)

// proxyMaxWait is how long a message waits for a refresh while the old token is
// still valid.
const proxyMaxWait = 5 * time.Second

type proxyOptions struct {
	login     loginOptions
	fromAgent fromAgent
	mayLogIn  bool
	listen    string
	tokenFrom string
	transport string
}

func newProxy(e *env) *cli.Command {
	var o proxyOptions
	return e.command(&cli.Command{
		Name: "proxy", Usage: "Run a local MCP server that forwards to a remote one",
		ArgsUsage: "NAME [URL]", UsageText: `mcp-login proxy notion`,
		Description: "For clients that can only run a command, in place of npx mcp-remote URL. With --listen, for clients that can only call a URL. " +
			"The proxy refreshes the token. It answers a request that needs a sign-in with an error that names the command to run; after the sign-in the proxy continues. " +
			"With URL it starts even before the first sign-in.",
		Flags: slices.Concat([]cli.Flag{
			stringFlag("listen", "Serve HTTP at `ADDRESS`, 127.0.0.1:PORT or unix:PATH (default: serve standard input and output)", "", &o.listen),
			stringFlag("listen-token-from", "`SOURCE` of the token that clients of --listen must send, at least 16 letters, digits, - . _ or ~: file:PATH, env:NAME or command:LINE (default: a random one, printed as part of the URL)", "", &o.tokenFrom),
			transportFlag(&o.transport),
			boolFlag("login", "Sign in first if required", &o.mayLogIn),
		}, o.fromAgent.flags(), o.login.attendFlags()),
	}, &o.login.common, func(ctx context.Context, args []string) error { return runProxy(ctx, e, &o, args) })
}

func runProxy(ctx context.Context, e *env, o *proxyOptions, args []string) error {
	from, err := e.source(ctx, &o.login.common, o.fromAgent, o.mayLogIn)
	if err != nil {
		return err
	}
	defer e.keepAlive(ctx, from.store)()
	cfg, err := e.config(&o.login.common, from, args[0])
	if err != nil {
		return err
	}
	cfg.Renewal.MaxWait = proxyMaxWait
	if len(args) > 1 {
		cfg.Server = args[1]
		if _, err := oauth.CheckURL(cfg.Server); err != nil {
			return usageError{err}
		}
	}
	if o.mayLogIn {
		if err := e.logInFirst(ctx, o, cfg); err != nil {
			return err
		}
	}
	up, err := e.upstream(ctx, o, cfg)
	if err != nil {
		return err
	}
	if o.listen != "" {
		return e.serveProxy(ctx, o, up)
	}
	return proxy.Stdio{Upstream: up}.Run(ctx, e.in, e.out)
}

// logInFirst asks a person, if there is no other way to a token.
func (e *env) logInFirst(ctx context.Context, o *proxyOptions, cfg mcplogin.Config) (err error) {
	var req mcplogin.LoginRequest
	if req.Register, err = o.login.client.registration(ctx, e); err != nil {
		return err
	}
	return e.attended(ctx, &o.login, cfg, req, func(s *mcplogin.Session, req mcplogin.LoginRequest) error {
		_, err := s.Ensure(ctx, req)
		return err
	})
}

// upstream opens the server. Where neither a URL was given nor a credential is
// stored there is none.
func (e *env) upstream(ctx context.Context, o *proxyOptions, cfg mcplogin.Config) (proxy.Upstream, error) {
	s, err := mcplogin.Open(cfg)
	if err != nil {
		return proxy.Upstream{}, err
	}
	if cfg.Server == "" {
		c, err := s.Credential(ctx)
		if err != nil {
			return proxy.Upstream{}, err
		}
		cfg.Server = c.Server
	}
	transport, err := e.transport(&o.login.common, cfg.Server, o.transport)
	if err != nil {
		return proxy.Upstream{}, err
	}
	return proxy.Upstream{Session: s, Server: cfg.Server, Transport: transport, Explain: e.explain, Log: cfg.Log}, nil
}

// explain says in one line what went wrong and what to run: all that the
// user of an MCP client gets to see.
func (e *env) explain(err error) string {
	text := "mcp-login: " + e.hidden.Clean(terminal.OneLine(err.Error()))
	if _, hint := e.verdict(err); hint != "" {
		text += fmt.Sprintf(" (to solve this: %s)", hint)
	}
	return text
}
