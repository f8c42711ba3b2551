package main

import (
	"context"
	"os"
	"slices"
	"time"

	"github.com/urfave/cli/v2"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/internal/commandline"
	"github.com/mcp-login/mcp-login/internal/exit"
	"github.com/mcp-login/mcp-login/internal/mcpremote"
	"github.com/mcp-login/mcp-login/internal/profilename"
	"github.com/mcp-login/mcp-login/internal/proxy"
	"github.com/mcp-login/mcp-login/internal/proxystate"
	"github.com/mcp-login/mcp-login/internal/source"
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
	server    serverOptions
	tools     toolOptions
}

const proxyName = "proxy"

// adapters read the command lines of programs that a command takes the place of.
func adapters() map[string]commandline.Adapter {
	return map[string]commandline.Adapter{proxyName: mcpremote.Adapt}
}

func newProxy(e *call) *cli.Command {
	var o proxyOptions
	return e.command(&cli.Command{
		Name: proxyName, Usage: "Run a local MCP server that forwards to a remote one",
		ArgsUsage: commandline.NameOrURL + " [URL]", UsageText: `mcp-login proxy https://mcp.notion.com/mcp`,
		Description: "It serves clients that only run a command or, with --listen, only call a URL." +
			"\n\nIt takes the place of npx mcp-remote URL. You do not need to sign in first: the client asks you to sign in when it first needs the server, and again when the sign-in expires. " +
			"The proxy refreshes the token. It names the profile after the URL's host, unless the URL is stored under another name.",
		Flags: slices.Concat([]cli.Flag{
			stringFlag("listen", "Serve HTTP at `ADDRESS`, such as 127.0.0.1:8080 or unix:PATH. By default it serves standard input and output", "", &o.listen),
			stringFlag("name", "Profile `NAME` (default: the stored one, or from URL's host)", "", &o.name),
			boolFlag("login", "Sign in first if required", &o.mayLogIn),
		}, grouped(groupNetwork,
			stringFlag("listen-token-from", "`SOURCE` of the token that clients of --listen must send, at least 16 letters, digits, - . _ or ~: file:PATH, env:NAME or command:LINE (default: a random one, printed as part of the URL)", "", &o.tokenFrom),
		), o.server.flags(), o.tools.flags(), grouped(groupEnterprise,
			boolFlag("no-sign-in", "Never sign in from the client: if a sign-in is required, the request fails and shows the command to run", &o.noSignIn),
		), o.fromAgent.flags(), o.login.interactiveFlags()),
	}, &o.login.common, func(ctx context.Context, args []string) error { return runProxy(ctx, e, &o, args) })
}

func runProxy(ctx context.Context, e *call, o *proxyOptions, args []string) error {
	if !o.mayLogIn {
		e = e.withoutTerminal() // it is the client's
	}
	opener := e.open(&o.login.common)
	if err := readHeaders(ctx, e, &o.login.common, &o.server); err != nil {
		return err
	}
	from, err := e.source(ctx, &o.login.common, o.fromAgent, o.mayLogIn || o.signsIn())
	if err != nil {
		return err
	}
	defer opener.KeepAlive(ctx, from.Store)()
	profile, server, err := proxied(ctx, e, o, from, args)
	if err != nil {
		return err
	}
	cfg, err := opener.Config(from, profile)
	if err != nil {
		return err
	}
	cfg.Renewal.MaxWait, cfg.Server = proxyMaxWait, server
	if o.mayLogIn {
		if _, err := opener.Ensure(ctx, o.login.signIn(), cfg); err != nil {
			return err
		}
	}
	up, err := upstreamOf(ctx, e, o, cfg)
	if err != nil {
		return err
	}
	proxy.BoundMemory()
	if o.listen != "" {
		return serveProxy(ctx, e, o, up)
	}
	return proxy.Stdio{Upstream: up}.Run(ctx, e.in, e.out)
}

// signsIn reports whether the client's user can sign in from the client. Where an
// agent keeps the credentials, it alone signs in.
func (o *proxyOptions) signsIn() bool { return !o.noSignIn && o.fromAgent.agentSock == "" }

// proxied returns the profile and the server of the arguments; "" for the server
// that is stored.
func proxied(ctx context.Context, e *call, o *proxyOptions, from source.Source, args []string) (profile, server string, err error) {
	if _, isURL := profilename.Address(args[0]); o.name != "" && (len(args) > 1 || !isURL) {
		return "", "", exit.Usagef("use either --name or a NAME argument")
	}
	return target(ctx, e, &o.login.common, from, o.name, args)
}

// profileFor returns the profile of a URL: the one that was named, else the one that
// profilename finds.
func profileFor(ctx context.Context, e *call, o *common, from source.Source, name, server string) (string, error) {
	if name != "" {
		return name, nil
	}
	return from.ProfileOf(ctx, server, func(name string) (*mcplogin.Session, error) { return e.open(o).Session(from, name) })
}

// upstreamOf opens the server. If no URL was given, it is that of the stored credential.
func upstreamOf(ctx context.Context, e *call, o *proxyOptions, cfg mcplogin.Config) (proxy.Upstream, error) {
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
	opener := e.open(&o.login.common)
	transport, err := opener.Outbound().Transport(cfg.Server, o.server.transport)
	if err != nil {
		return proxy.Upstream{}, err
	}
	up := proxy.Upstream{Session: s, Server: cfg.Server, Transport: transport, Explain: opener.Explain, Log: cfg.Log}
	if up.Tools, err = toolFilter(e, &o.tools); err != nil {
		return proxy.Upstream{}, err
	}
	if o.signsIn() {
		up.SignIn = signInClient(e.withoutTerminal(), o, cfg)
	}
	return up, nil
}

// signInClient returns the sign-in inside an MCP client.
func signInClient(e *call, o *proxyOptions, cfg mcplogin.Config) *proxy.SignIn {
	machine, _ := os.Hostname() // a claim for people; it may be empty
	opener := e.open(&o.login.common)
	s := &proxy.SignIn{Machine: machine, Account: opener.Account}
	if dir, err := e.dirs().Writable(e.dirs().Proxies()); err == nil { // without a home folder nothing is shared
		s.State = proxystate.Of(dir, cfg.Profile, cfg.Server).View(slices.Concat(o.server.headers, o.server.fromHere, o.tools.rules().Texts())...)
	}
	s.Login = func(ctx context.Context, p *proxy.Prompt, scopes []string) (mcplogin.Credential, error) {
		login := o.login
		login.InClient = p
		c, err := opener.Login(ctx, login.signIn(), cfg, mcplogin.LoginRequest{MoreScopes: scopes})
		if err == nil {
			opener.WarnUnshared(ctx, c)
		}
		return c, err
	}
	return s
}
