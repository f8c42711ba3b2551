// Package outbound makes the guarded HTTP clients of this program, with the certificates
// and the proxy of this user. It must not know what is requested.
package outbound

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/mcp-login/mcp-login/internal/exit"
	"github.com/mcp-login/mcp-login/internal/netcheck"
	"github.com/mcp-login/mcp-login/oauth"
)

// Options say how servers are reached.
type Options struct {
	CACert  string        // PEM file of certificates to trust beside the system's; "": none
	Timeout time.Duration // of one request
	Getenv  func(name string) string
	Hosts   *oauth.Hosts // what the clients learn of hosts; nil: each learns for itself
}

// Clients returns what makes a client for an MCP server, or another one. It keeps the
// clients that it has made, with their connections.
func (o Options) Clients() (func(server string) *http.Client, error) {
	roots, err := Roots(o.CACert)
	if err != nil {
		return nil, err
	}
	if err := o.checkProxies(); err != nil {
		return nil, err
	}
	return oauth.Guard{RootCAs: roots, Proxy: http.ProxyFromEnvironment, Timeout: o.Timeout, Hosts: o.Hosts}.Clients(), nil
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

// Roots returns the system's certificates with those of a PEM file; nil means the
// system's alone, as for "".
func Roots(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, exit.Usage(fmt.Errorf("--ca-cert: %w", err))
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool() // a system without certificates
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, exit.Usage(errors.New("--ca-cert: no certificate in " + file))
	}
	return pool, nil
}
