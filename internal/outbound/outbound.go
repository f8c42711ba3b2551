// Package outbound makes the guarded HTTP clients that reach MCP servers and all that
// belongs to them, with the certificates and the proxy of this user. It must not know
// what is requested.
package outbound

import (
	"cmp"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/mcp-login/mcp-login/internal/exit"
	"github.com/mcp-login/mcp-login/internal/extraheader"
	"github.com/mcp-login/mcp-login/internal/httpsse"
	"github.com/mcp-login/mcp-login/internal/netcheck"
	"github.com/mcp-login/mcp-login/oauth"
)

// Options say how servers are reached.
type Options struct {
	CACert  string        // PEM file of certificates to trust beside the system's; "": none
	Timeout time.Duration // of one request
	Getenv  func(name string) string
	Hosts   *oauth.Hosts        // what the clients learn of hosts; nil: each learns for itself
	Headers extraheader.Headers // that each request to the origin of an MCP server has
}

// Clients returns what makes a client for an MCP server.
func (o Options) Clients() (func(server string) *http.Client, error) {
	roots, err := o.Roots()
	if err != nil {
		return nil, err
	}
	if err := o.checkProxies(); err != nil {
		return nil, err
	}
	guarded := oauth.Guard{RootCAs: roots, Proxy: http.ProxyFromEnvironment, Timeout: o.Timeout, Hosts: o.Hosts}.Clients()
	return func(server string) *http.Client {
		client := *guarded(server)
		client.Transport = o.Headers.Around(client.Transport, server)
		return &client
	}, nil
}

// Transport reaches an MCP server: guarded, and without a limit of time, since a tool
// may take long. The server speaks Streamable HTTP, or what the mode says.
func (o Options) Transport(server, mode string) (*httpsse.Transport, error) {
	m, err := httpsse.ParseMode(cmp.Or(mode, string(httpsse.Auto)))
	if err != nil {
		return nil, exit.Usagef("--transport %w", err)
	}
	client, err := o.Clients()
	if err != nil {
		return nil, err
	}
	return &httpsse.Transport{Base: client(server).Transport, Server: server, Mode: m}, nil
}

// checkProxies refuses variables that name no proxy: the HTTP client would go
// without one, past what an organization demands.
func (o Options) checkProxies() error {
	for _, name := range []string{"HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy"} {
		if value := o.Getenv(name); value != "" {
			if _, err := netcheck.Proxy(value); err != nil {
				return exit.Usagef("%s %w", name, err)
			}
		}
	}
	return nil
}

// Roots returns the system's certificates with those of CACert; nil means the
// system's alone.
func (o Options) Roots() (*x509.CertPool, error) {
	if o.CACert == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(o.CACert)
	if err != nil {
		return nil, exit.Usage(fmt.Errorf("--ca-cert: %w", err))
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool() // a system without certificates
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, exit.Usage(errors.New("--ca-cert: no certificate in " + o.CACert))
	}
	return pool, nil
}
