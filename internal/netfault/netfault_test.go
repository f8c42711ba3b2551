package netfault_test

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"syscall"
	"testing"

	"github.com/mcp-login/mcp-login/internal/netfault"
	"github.com/mcp-login/mcp-login/oauth"
)

// What the network library says is replaced by what a user knows; all else stays.
func TestText(t *testing.T) {
	dial := func(err error) error { return &net.OpError{Op: "dial", Net: "tcp", Err: err} }
	for want, cause := range map[string]error{
		"connection refused":                              dial(syscall.ECONNREFUSED),
		"no answer in time":                               context.DeadlineExceeded,
		"no such host name: mcp.test":                     dial(&net.DNSError{Err: "no such host", Name: "mcp.test", IsNotFound: true}),
		"the DNS server did not answer for mcp.test:8443": dial(&net.DNSError{Err: "server misbehaving", Name: "mcp.test"}),
		"its certificate is signed by an authority that this machine does not trust": x509.UnknownAuthorityError{},
		"the HTTP proxy cannot be reached: connection refused":                       &net.OpError{Op: "proxyconnect", Net: "tcp", Err: dial(syscall.ECONNREFUSED)},
		"the HTTP proxy proxy:3128 requires a user name and password (HTTP 407)":     &oauth.ProxyError{Proxy: "proxy:3128", Status: 407},
	} {
		err := fmt.Errorf("discover: %w", &url.Error{Op: "Post", URL: "https://mcp.test:8443/mcp", Err: cause})
		if got := netfault.Text(err); got != "discover: cannot reach mcp.test:8443: "+want {
			t.Errorf("text of %v = %q", err, got)
		}
	}
	refused := &url.Error{Op: "Post", URL: "https://mcp.test:8443/mcp", Err: dial(syscall.ECONNREFUSED)}
	for server, want := range map[string]string{"https://mcp.test:8443/mcp": "", "https://other.test/mcp": "discover https://other.test/mcp: "} {
		err := fmt.Errorf("discover %s: %w; or else", server, refused)
		if got := netfault.Text(err); got != want+"cannot reach mcp.test:8443: connection refused; or else" {
			t.Errorf("text of %v = %q", err, got)
		}
	}
	for _, err := range []error{errors.New("x"), &url.Error{Op: "parse", URL: "x", Err: errors.New("y")}} {
		if got := netfault.Text(err); got != err.Error() {
			t.Errorf("text of %v = %q", err, got)
		}
	}
}
