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
			stringFlag("store", "Credential `STORE`: file:DIR, keyring:DIR or vault:MOUNT/PREFIX (default: file: in --profile-dir)", "", &o.Store),
			stringFlag("profile-dir", "`FOLDER` of the default store (default: mcp-login in your data folder)", "", &o.ProfileDir),
			stringFlag("keeper", "`KEEPER` of the store's key: key-file, passphrase or keyring. The default for a new store is passphrase if MCP_LOGIN_PASSPHRASE, _FILE or _COMMAND is set, keyring on a desktop where one works, or key-file", "", &o.Keeper),
		),
		grouped(groupNetwork,
			stringFlag("ca-cert", "Also trust the PEM certificates in `FILE`", "", &o.CACert),
			durationFlag("timeout", "Maximum `DURATION` of a request; discovery takes up to three times as long", defaultTimeout, &o.Timeout),
		),
		grouped(groupEnterprise,
			stringFlag("expect-issuer", "Accept only the authorization server at `URL`: at sign-in, at each refresh, and for stored tokens", "", &o.ExpectIssuer),
			stringFlag("expect-audience", "`AUDIENCE` that a credential stored by another host may request, for this CI job's ID token or a token exchange", "", &o.ExpectAudience),
		),
		grouped(groupGlobal,
			durationFlag("min-ttl", "Refresh a token that expires within `DURATION`", mcplogin.DefaultMinTTL, &o.MinTTL),
			stringFlag("log-level", "Minimum log `LEVEL`: trace, debug, info, warn, error or disabled", "warn", &o.logLevel),
			stringFlag("log-format", "Log `FORMAT` on standard error: text or json", "text", &o.logFormat),
		),
	)
}
