package main

import (
	"cmp"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"time"

	"github.com/urfave/cli/v2"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/internal/httpsse"
	"github.com/mcp-login/mcp-login/internal/netcheck"
	"github.com/mcp-login/mcp-login/oauth"
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

// repeated returns those of the flags that were typed, but for some.
func (e *env) repeated(flags []cli.Flag, but ...string) []string {
	var words []string
	for _, p := range e.line.parts {
		if p.isFlag && findFlag(flags, p.flag) != nil && !slices.Contains(but, p.flag) {
			words = append(words, p.words...)
		}
	}
	return words
}

// client returns what makes a guarded http.Client for an MCP server.
func (e *env) client(o *common) (func(server string) *http.Client, error) {
	roots, err := o.roots()
	if err != nil {
		return nil, err
	}
	if err := e.checkProxies(); err != nil {
		return nil, err
	}
	return oauth.Guard{RootCAs: roots, Proxy: http.ProxyFromEnvironment, Timeout: o.timeout, Hosts: e.hosts}.Clients(), nil
}

// checkProxies refuses variables that name no proxy: the HTTP client would go
// without one, past what an organization demands.
func (e *env) checkProxies() error {
	for _, name := range []string{"HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy"} {
		if value := e.getenv(name); value != "" {
			if _, err := netcheck.Proxy(value); err != nil {
				return usagef("%s %w", name, err)
			}
		}
	}
	return nil
}

// transport reaches an MCP server: guarded, and without a limit of time, since
// a tool may take long. The server speaks Streamable HTTP, or what the mode says.
func (e *env) transport(o *common, server, mode string) (http.RoundTripper, error) {
	m, err := httpsse.ParseMode(cmp.Or(mode, string(httpsse.Auto)))
	if err != nil {
		return nil, usagef("--transport %w", err)
	}
	client, err := e.client(o)
	if err != nil {
		return nil, err
	}
	return &httpsse.Transport{Base: client(server).Transport, Server: server, Mode: m}, nil
}

// transportFlag chooses how a server is spoken to.
func transportFlag(to *string) cli.Flag {
	return grouped(groupNetwork, stringFlag("transport", "`TRANSPORT` of the server: auto, http (Streamable HTTP) or sse (HTTP+SSE of 2024-11-05)", string(httpsse.Auto), to))[0]
}

// roots returns the system's certificates with those of --ca-cert; nil means
// the system's alone.
func (o *common) roots() (*x509.CertPool, error) {
	if o.caCert == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(o.caCert)
	if err != nil {
		return nil, usageError{fmt.Errorf("--ca-cert: %w", err)}
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool() // a system without certificates
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, usageError{errors.New("--ca-cert: no certificate in " + o.caCert)}
	}
	return pool, nil
}
