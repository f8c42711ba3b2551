package main

import (
	"context"
	"net"
	"net/url"
	"slices"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/mcp-login/mcp-login/internal/exit"
	"github.com/mcp-login/mcp-login/internal/metricsweb"
	"github.com/mcp-login/mcp-login/internal/netcheck"
	"github.com/mcp-login/mcp-login/internal/outbound"
	"github.com/mcp-login/mcp-login/internal/relay"
	"github.com/mcp-login/mcp-login/oauth"
)

type relayServerOptions struct {
	common
	baseURL, listen, metrics string
	sessions, keyFrom        string
	tokenFrom                string
	public                   bool
	allow, proxies           list
	certificates             relay.Certificates
	limits                   relay.Limits
}

func newRelay(e *call) *cli.Command {
	var o relayServerOptions
	return e.command(&cli.Command{
		Name: "relay", Usage: "Run a web server that lets people sign in on another device",
		UsageText: "mcp-login relay --base-url https://login.example.com --listen :443 \\\n    --client-token-from file:/etc/mcp-login/relay-token \\\n    --acme-cache /var/lib/mcp-login-relay",
		Description: "With --relay https://login.example.com, mcp-login login shows a short link and a QR code for servers without a device flow." +
			"\n\nThe relay passes the answer on to the waiting machine. It never sees a token. " +
			"Run your own, because the operator of a relay could start sign-ins and trick people into approving them. No public relay is built in. SIGTERM stops it without losing a waiting sign-in.",
		Flags: slices.Concat([]cli.Flag{
			stringFlag("base-url", "Public https `URL` of the relay (required)", "", &o.baseURL),
			stringFlag("listen", "`ADDRESS` and port to listen on", "127.0.0.1:8080", &o.listen),
			stringFlag("client-token-from", "`SOURCE` of the token that clients must send. It is file:PATH, env:NAME, command:LINE or prompt", "", &o.tokenFrom),
			boolFlag("public", "Let anyone use the relay, without a client token", &o.public),
			listFlag("allow-issuer", "`HOST` that sign-ins may lead to (repeatable; default: any). Several can be separated by commas", &o.allow),
		}, grouped(groupNetwork,
			durationFlag("session-lifetime", "Maximum `DURATION` of a sign-in", 10*time.Minute, &o.limits.Lifetime),
			intFlag("sessions-per-address", "Maximum `NUMBER` of sessions per client address in that time", 100, &o.limits.SessionsPerAddress),
			stringFlag("tls-cert", "PEM `FILE` of the certificate chain, reloaded when it is renewed", "", &o.certificates.CertFile),
			stringFlag("tls-key", "PEM `FILE` of the private key", "", &o.certificates.KeyFile),
			stringFlag("acme-cache", "`FOLDER` for certificates from Let's Encrypt or another ACME authority, requested for the host of --base-url; requires port 443", "", &o.certificates.ACMECache),
			stringFlag("acme-directory", "`URL` of the certificate authority's directory (RFC 8555)", "https://acme-v02.api.letsencrypt.org/directory", &o.certificates.ACMEDirectory),
			stringFlag("acme-email", "`EMAIL` address for notices about these certificates", "", &o.certificates.ACMEEmail),
			listFlag("trusted-proxy", "Trust X-Forwarded-For from the `ADDRESS` or network of a reverse proxy (repeatable, or separated by commas)", &o.proxies),
			metricsFlag(&o.metrics),
		), grouped(groupStore,
			stringFlag("sessions", "redis:// or rediss:// `URL` of a Redis or Valkey server that replicas share. For a URL with a password, set MCP_LOGIN_SESSIONS (default: memory)", "", &o.sessions),
			stringFlag("sessions-key-from", "`SOURCE` of the key, at least 32 bytes, that encrypts the sessions in Redis. All replicas share it", "", &o.keyFrom),
		)),
	}, &o.common, func(ctx context.Context, _ []string) error { return runRelay(ctx, e, &o) })
}

func runRelay(ctx context.Context, e *call, o *relayServerOptions) error {
	cfg := relay.Config{BaseURL: o.baseURL, Public: o.public, AllowIssuers: separated(o.allow), Limits: o.limits, Log: e.slog()}
	if err := o.check(e); err != nil {
		return err
	}
	var err error
	if cfg.TrustedProxies, err = netcheck.Prefixes(separated(o.proxies)); err != nil {
		return exit.Usagef("--trusted-proxy: %w", err)
	}
	if o.tokenFrom != "" {
		if cfg.Token, err = e.open(&o.common).Secret(ctx, o.tokenFrom, "client token"); err != nil {
			return err
		}
	}
	sessions, end, err := openSessions(ctx, e, o)
	if err != nil {
		return err
	}
	defer end()
	cfg.Sessions = sessions
	r, err := relay.New(cfg)
	if err != nil {
		return exit.Usage(err)
	}
	if err := reachAuthority(e, o); err != nil {
		return err
	}
	if o.metrics != "" {
		l, err := metricsweb.Listen(o.metrics, e.say)
		if err != nil {
			return err
		}
		defer metricsweb.Serve(l, r.Metrics(), cfg.Log)()
	}
	l, err := net.Listen("tcp", o.listen)
	if err != nil {
		return &exit.Error{Code: exit.Failed, Text: "--listen: " + err.Error()}
	}
	e.say("relay: %s, listening on %s", o.baseURL, l.Addr())
	if o.public && len(separated(o.allow)) == 0 {
		e.say("warning: anyone can use this relay to lead people to any address; limit it with --allow-issuer")
	}
	return r.Serve(ctx, l, o.certificates)
}

// check returns an error for options that conflict.
func (o *relayServerOptions) check(e *call) error {
	c := o.certificates
	u, err := url.Parse(o.sessions)
	switch {
	case o.baseURL == "":
		return exit.Usagef("--base-url is required")
	case o.public == (o.tokenFrom != ""):
		return exit.Usagef("use either --client-token-from or --public")
	case (c.CertFile == "") != (c.KeyFile == ""):
		return exit.Usagef("--tls-cert and --tls-key must be used together")
	case c.CertFile != "" && c.ACMECache != "":
		return exit.Usagef("use either --tls-cert or --acme-cache")
	case (o.sessions == "") != (o.keyFrom == ""):
		return exit.Usagef("--sessions and --sessions-key-from must be used together")
	case e.Typed("sessions") && (err != nil || u.User != nil):
		return exit.Usagef("--sessions: other users can read command-line arguments; set MCP_LOGIN_SESSIONS for a URL with a password")
	}
	return nil
}

// openSessions returns the session store and a function that closes it.
func openSessions(ctx context.Context, e *call, o *relayServerOptions) (relay.Sessions, func(), error) {
	if o.sessions == "" {
		return &relay.Memory{}, func() {}, nil
	}
	key, err := e.open(&o.common).Secret(ctx, o.keyFrom, "session key")
	if err != nil {
		return nil, nil, err
	}
	roots, err := outbound.Roots(o.CACert)
	if err != nil {
		return nil, nil, err
	}
	r, err := relay.OpenRedis(relay.RedisOptions{URL: o.sessions, Key: []byte(key), Roots: roots, Log: e.slog()})
	if err != nil {
		return nil, nil, exit.Usage(err)
	}
	return r, func() { _ = r.Close() }, nil // the process exits
}

// reachAuthority adds a client for the certificate authority, if one is used.
func reachAuthority(e *call, o *relayServerOptions) error {
	if o.certificates.ACMECache == "" {
		return nil
	}
	directory := o.certificates.ACMEDirectory
	if _, err := oauth.CheckURL(directory); err != nil {
		return exit.Usagef("--acme-directory: %w", err)
	}
	client, err := e.open(&o.common).Clients()
	if err == nil {
		o.certificates.ACMEClient = client(directory)
	}
	return err
}
