package main

import (
	"slices"
	"time"

	"github.com/urfave/cli/v2"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/internal/httpsse"
	"github.com/mcp-login/mcp-login/internal/outbound"
)

// common are the options that every command has.
type common struct {
	store, profileDir, keeper string
	caCert                    string
	expectIssuer              string
	expectAudience            string
	timeout, minTTL           time.Duration
	logLevel, logFormat       string
}

const defaultTimeout = 30 * time.Second

func (o *common) flags() []cli.Flag {
	return slices.Concat(
		grouped(groupStore,
			stringFlag("store", "`STORE` for credentials: file:DIR, keyring:DIR or vault:MOUNT/PREFIX (default: file: in --profile-dir)", "", &o.store),
			stringFlag("profile-dir", "`FOLDER` of the default store (default: mcp-login in your data folder)", "", &o.profileDir),
			stringFlag("keeper", "`KEEPER` of the store's key: key-file, passphrase or keyring (default: unchanged; for a new store passphrase if MCP_LOGIN_PASSPHRASE, _FILE or _COMMAND is set, keyring on a desktop where one works, else key-file)", "", &o.keeper),
		),
		grouped(groupNetwork,
			stringFlag("ca-cert", "Trust the PEM certificates in `FILE` in addition to the system's", "", &o.caCert),
			durationFlag("timeout", "Maximum `DURATION` of one request to a server; discovery takes at most three times as long", defaultTimeout, &o.timeout),
		),
		grouped(groupEnterprise,
			stringFlag("expect-issuer", "Accept only the authorization server `URL`, at sign-in, at each refresh, and when a stored token is used", "", &o.expectIssuer),
			stringFlag("expect-audience", "`AUDIENCE` that a stored credential from another host may request, for this CI job's id token or a token exchange", "", &o.expectAudience),
		),
		grouped(groupGlobal,
			durationFlag("min-ttl", "Refresh a token that expires within `DURATION`", mcplogin.DefaultMinTTL, &o.minTTL),
			stringFlag("log-level", "Log from `LEVEL` on: trace, debug, info, warn, error or disabled", "warn", &o.logLevel),
			stringFlag("log-format", "`FORMAT` of the log on standard error: text or json", "text", &o.logFormat),
		),
	)
}

// outbound returns what makes clients for MCP servers.
func (e *call) outbound(o *common) outbound.Options {
	return outbound.Options{CACert: o.caCert, Timeout: o.timeout, Getenv: e.getenv, Hosts: e.hosts}
}

// transportFlag chooses how a server is spoken to.
func transportFlag(to *string) cli.Flag {
	return grouped(groupNetwork, stringFlag("transport", "`TRANSPORT` of the server: auto, http (Streamable HTTP) or sse (HTTP+SSE of 2024-11-05)", string(httpsse.Auto), to))[0]
}
