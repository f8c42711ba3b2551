package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/urfave/cli/v2"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/internal/netfault"
	"github.com/mcp-login/mcp-login/internal/profilename"
	"github.com/mcp-login/mcp-login/internal/proxy"
	"github.com/mcp-login/mcp-login/internal/proxystate"
	"github.com/mcp-login/mcp-login/internal/terminal"
)

// proxyMaxWait is how long a message waits for a refresh while the old token is
// still valid.
const proxyMaxWait = 5 * time.Second

type proxyOptions struct {
	login     loginOptions
	fromAgent fromAgent
	name      string
	mayLogIn  bool
	noSignIn  bool
	listen    string
	tokenFrom string
	transport string
}

func newProxy(e *env) *cli.Command {
	var o proxyOptions
	return e.command(&cli.Command{
		Name: "proxy", Usage: "Run a local MCP server that forwards to a remote one",
		ArgsUsage: nameOrURL + " [URL]", UsageText: `mcp-login proxy https://mcp.notion.com/mcp`,
		Description: "For clients that can only run a command, in place of npx mcp-remote URL. With --listen, for clients that can only call a URL. " +
			"Nobody needs to sign in first: the client's user does so in the client, when the server is first needed and again when a sign-in expires. " +
			"The token is refreshed on the way. A profile is named after the URL's host, unless the URL is stored under another name.",
		Flags: slices.Concat([]cli.Flag{
			stringFlag("listen", "Serve HTTP at `ADDRESS`, 127.0.0.1:PORT or unix:PATH (default: serve standard input and output)", "", &o.listen),
			stringFlag("name", "`NAME` of the profile for URL (default: the name that URL is stored under, else one from its host)", "", &o.name),
			boolFlag("login", "Sign in first if required", &o.mayLogIn),
		}, grouped(groupNetwork,
			stringFlag("listen-token-from", "`SOURCE` of the token that clients of --listen must send, at least 16 letters, digits, - . _ or ~: file:PATH, env:NAME or command:LINE (default: a random one, printed as part of the URL)", "", &o.tokenFrom),
			transportFlag(&o.transport),
		), grouped(groupEnterprise,
			boolFlag("no-sign-in", "Never sign in from the client: a request that requires a sign-in fails, and names the command to run", &o.noSignIn),
		), o.fromAgent.flags(), o.login.attendFlags()),
	}, &o.login.common, func(ctx context.Context, args []string) error { return runProxy(ctx, e, &o, args) })
}

func runProxy(ctx context.Context, e *env, o *proxyOptions, args []string) error {
	if !o.mayLogIn {
		e = e.withoutTerminal() // it is the client's
	}
	from, err := e.source(ctx, &o.login.common, o.fromAgent, o.mayLogIn || o.signsIn())
	if err != nil {
		return err
	}
	defer e.keepAlive(ctx, from.store)()
	profile, server, err := e.proxied(ctx, o, from, args)
	if err != nil {
		return err
	}
	cfg, err := e.config(&o.login.common, from, profile)
	if err != nil {
		return err
	}
	cfg.Renewal.MaxWait, cfg.Server = proxyMaxWait, server
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

// signsIn reports whether the client's user can sign in from the client. Where an
// agent keeps the credentials, it alone signs in.
func (o *proxyOptions) signsIn() bool { return !o.noSignIn && o.fromAgent.agentSock == "" }

// proxied returns the profile and the server of the arguments; "" for the server
// that is stored.
func (e *env) proxied(ctx context.Context, o *proxyOptions, from source, args []string) (profile, server string, err error) {
	if _, isURL := profilename.Address(args[0]); o.name != "" && (len(args) > 1 || !isURL) {
		return "", "", usagef("--name and a name as argument exclude each other")
	}
	return e.target(ctx, &o.login.common, from, o.name, args)
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
	up := proxy.Upstream{Session: s, Server: cfg.Server, Transport: transport, Explain: e.explain, Log: cfg.Log}
	if o.signsIn() {
		up.SignIn = e.withoutTerminal().inClient(o, cfg)
	}
	return up, nil
}

// inClient returns what signs in from inside an MCP client.
func (e *env) inClient(o *proxyOptions, cfg mcplogin.Config) *proxy.SignIn {
	machine, _ := os.Hostname() // a claim for people; it may be empty
	s := &proxy.SignIn{Machine: machine, Account: e.account}
	if dir, err := e.userDir(e.dirs().Proxies()); err == nil { // without a home folder nothing is shared
		s.State = proxystate.Of(dir, cfg.Profile, cfg.Server)
	}
	s.Login = func(ctx context.Context, p *proxy.Prompt, scopes []string) (c mcplogin.Credential, err error) {
		login := o.login
		login.inClient = p
		req := mcplogin.LoginRequest{MoreScopes: scopes}
		if req.Register, err = login.client.registration(ctx, e); err != nil {
			return c, err
		}
		err = e.attended(ctx, &login, cfg, req, func(s *mcplogin.Session, req mcplogin.LoginRequest) error {
			c, err = s.Login(ctx, req)
			return err
		})
		if err == nil {
			e.aside(ctx, c)
		}
		return c, err
	}
	return s
}

// account says who is signed in, "" where no token says so.
func (e *env) account(c mcplogin.Credential) string {
	id := e.identity(c)
	if id.Subject == "" {
		return ""
	}
	return id.String()
}

// explain says in one line what went wrong and what to run: all that the
// user of an MCP client gets to see.
func (e *env) explain(err error) string {
	text := "mcp-login: " + e.hidden.Clean(terminal.OneLine(netfault.Text(err)))
	if _, hint := e.verdict(err); hint != "" {
		text += fmt.Sprintf(" (to solve this: %s)", hint)
	}
	return text
}
