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

// Options are the options of HTTP clients.
type Options struct {
	CACert  string        // PEM file of root certificates to trust in addition to the system's; "": none
	Timeout time.Duration // of one request
	Getenv  func(name string) string
	Hosts   *oauth.Hosts // shared by the clients; nil: not shared
}

// Clients returns a function that returns the client for a server. It reuses clients
// and their connections.
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

// checkProxies returns an error for invalid proxy variables: otherwise the HTTP
// client would bypass the proxy.
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

// Roots returns the system's root certificates with those of a PEM file; nil for
// "", which means only the system's.
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
		pool = x509.NewCertPool() // a system without root certificates
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, exit.Usage(errors.New("--ca-cert: no certificate in " + file))
	}
	return pool, nil
}
