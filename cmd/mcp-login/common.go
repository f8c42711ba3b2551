package main

import (
	"slices"
	"time"

	"github.com/urfave/cli/v2"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/internal/access"
)

// common has the options of every command.
type common struct {
	access.Options
	logLevel, logFormat string
}

const defaultTimeout = 30 * time.Second

func (o *common) flags() []cli.Flag {
	return slices.Concat(
		grouped(groupStore,
			stringFlag("store", "`STORE` for credentials: file:DIR, keyring:DIR or vault:MOUNT/PREFIX (default: file: in --profile-dir)", "", &o.Store),
			stringFlag("profile-dir", "`FOLDER` of the default store (default: mcp-login in your data folder)", "", &o.ProfileDir),
			stringFlag("keeper", "`KEEPER` of the store's key: key-file, passphrase or keyring (default: unchanged; for a new store passphrase if MCP_LOGIN_PASSPHRASE, _FILE or _COMMAND is set, keyring on a desktop where one works, else key-file)", "", &o.Keeper),
		),
		grouped(groupNetwork,
			stringFlag("ca-cert", "Trust the PEM certificates in `FILE` in addition to the system's", "", &o.CACert),
			durationFlag("timeout", "Maximum `DURATION` of one request to a server; discovery takes at most three times as long", defaultTimeout, &o.Timeout),
		),
		grouped(groupEnterprise,
			stringFlag("expect-issuer", "Accept only the authorization server `URL`, at sign-in, at each refresh, and when a stored token is used", "", &o.ExpectIssuer),
			stringFlag("expect-audience", "`AUDIENCE` that a stored credential from another host may request, for this CI job's id token or a token exchange", "", &o.ExpectAudience),
		),
		grouped(groupGlobal,
			durationFlag("min-ttl", "Refresh a token that expires within `DURATION`", mcplogin.DefaultMinTTL, &o.MinTTL),
			stringFlag("log-level", "Log from `LEVEL` on: trace, debug, info, warn, error or disabled", "warn", &o.logLevel),
			stringFlag("log-format", "`FORMAT` of the log on standard error: text or json", "text", &o.logFormat),
		),
	)
}
