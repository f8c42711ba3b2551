package main

import (
	"context"
	"os"
	"slices"
	"time"

	"github.com/urfave/cli/v2"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/internal/access"
	"github.com/mcp-login/mcp-login/internal/commandline"
	"github.com/mcp-login/mcp-login/internal/exit"
	"github.com/mcp-login/mcp-login/internal/mcpremote"
	"github.com/mcp-login/mcp-login/internal/proxy"
	"github.com/mcp-login/mcp-login/internal/proxystate"
	"github.com/mcp-login/mcp-login/internal/suggest"
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

// adapters convert the command lines of programs that a command replaces.
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
	target, err := o.target(args)
	if err != nil {
		return err
	}
	opener := e.open(&o.login.common)
	if !o.mayLogIn {
		opener = opener.WithoutTerminal() // the terminal belongs to the client
	}
	if opener, err = o.server.withHeaders(ctx, opener); err != nil {
		return err
	}
	from, err := opener.Source(ctx, o.fromAgent.agentSock, o.mayLogIn || o.signsIn())
	if err != nil {
		return err
	}
	defer opener.KeepAlive(ctx, from.Store)()
	if target, err = opener.Resolve(ctx, from, target); err != nil {
		return err
	}
	cfg, err := opener.Config(from, target.Profile)
	if err != nil {
		return err
	}
	cfg.Renewal.MaxWait, cfg.Server = proxyMaxWait, target.Server
	s, err := mcplogin.Open(cfg)
	if err != nil {
		return err
	}
	if o.mayLogIn {
		if err := signInFirst(ctx, opener, o, s); err != nil {
			return err
		}
	}
	up, err := upstreamOf(ctx, opener, o, cfg, s)
	if err != nil {
		return err
	}
	proxy.BoundMemory()
	if o.listen != "" {
		return serveProxy(ctx, opener, o, up)
	}
	if e.streams().InIsTerminal() {
		e.say("waiting for an MCP client on standard input")
		e.say("next: %s", suggest.MCPLogin("client-config", target.Profile, up.Server).With(e.StoreFlags()...))
	}
	return proxy.Stdio{Upstream: up}.Run(ctx, e.in, e.out)
}

// signsIn reports whether the client's user can sign in from the client. With an
// agent, only the agent signs in.
func (o *proxyOptions) signsIn() bool { return !o.noSignIn && o.fromAgent.agentSock == "" }

// target reads the arguments and --name.
func (o *proxyOptions) target(args []string) (access.Target, error) {
	t, err := access.ParseTarget(args)
	if err == nil && o.name != "" {
		if t.Profile != "" {
			return t, exit.Usagef("use either --name or a NAME argument")
		}
		t.Profile = o.name
	}
	return t, err
}

// signInFirst signs in before the client starts, if that is required.
func signInFirst(ctx context.Context, opener access.Opener, o *proxyOptions, s *mcplogin.Session) error {
	in, err := opener.SignIn(o.login.signIn())
	if err == nil {
		_, err = in.Ensure(ctx, s)
	}
	return err
}

// upstreamOf returns the transport for the server. Its default URL is that of the stored
// credential.
func upstreamOf(ctx context.Context, opener access.Opener, o *proxyOptions, cfg mcplogin.Config, s *mcplogin.Session) (up proxy.Upstream, err error) {
	if cfg.Server == "" {
		c, err := s.Credential(ctx)
		if err != nil {
			return up, err
		}
		cfg.Server = c.Server
	}
	transport, err := opener.Transport(cfg.Server, o.server.transport)
	if err != nil {
		return up, err
	}
	up = proxy.Upstream{Session: s, Server: cfg.Server, Transport: transport, Explain: opener.Explain, Log: cfg.Log}
	if up.Tools, err = o.tools.filter(cfg.Log); err == nil && o.signsIn() {
		up.SignIn, err = signInClient(opener, o, cfg)
	}
	return up, err
}

// signInClient returns the sign-in inside an MCP client.
func signInClient(opener access.Opener, o *proxyOptions, cfg mcplogin.Config) (*proxy.SignIn, error) {
	to, err := mcplogin.Open(cfg) // for this server, even if the profile changes later
	if err != nil {
		return nil, err
	}
	opener = opener.WithoutTerminal()
	machine, _ := os.Hostname() // for display; may be empty
	s := &proxy.SignIn{Machine: machine, Account: opener.Account}
	if dir, err := opener.Dirs.Writable(opener.Dirs.Proxies()); err == nil { // without a home folder nothing is shared
		s.State = proxystate.Of(dir, cfg.Profile, cfg.Server).View(slices.Concat(o.server.headers, o.server.fromHere, o.tools.rules().Texts())...)
	}
	s.Login = func(ctx context.Context, p *proxy.Prompt, scopes []string) (mcplogin.Credential, error) {
		as := o.login.signIn()
		as.InClient = p
		in, err := opener.SignIn(as)
		if err != nil {
			return mcplogin.Credential{}, err
		}
		c, err := in.Login(ctx, to, mcplogin.LoginRequest{MoreScopes: scopes})
		if err == nil {
			opener.WarnUnshared(ctx, c)
		}
		return c, err
	}
	return s, nil
}
