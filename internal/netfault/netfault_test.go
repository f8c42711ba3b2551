package netfault_test

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"syscall"
	"testing"

	"github.com/mcp-login/mcp-login/internal/netfault"
	"github.com/mcp-login/mcp-login/oauth"
)

// TestText: messages of the network library are replaced by the user's terms; all
// other text is kept.
func TestText(t *testing.T) {
	dial := func(err error) error { return &net.OpError{Op: "dial", Net: "tcp", Err: err} }
	for want, cause := range map[string]error{
		"connection refused":                              dial(syscall.ECONNREFUSED),
		"no answer in time":                               context.DeadlineExceeded,
		"no such host name":                               dial(&net.DNSError{Err: "no such host", Name: "mcp.test", IsNotFound: true}),
		"no such host name: proxy.test":                   dial(&net.DNSError{Err: "no such host", Name: "proxy.test", IsNotFound: true}),
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
	connRefused := &url.Error{Op: "Post", URL: "https://mcp.test:8443/mcp", Err: dial(syscall.ECONNREFUSED)}
	for server, want := range map[string]string{"https://mcp.test:8443/mcp": "", "https://other.test/mcp": "discover https://other.test/mcp: "} {
		err := fmt.Errorf("discover %s: %w; or else", server, connRefused)
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

// TestTextNamesTheHostOnce: a step such as discover does not repeat a URL that is in
// its cause.
func TestTextNamesTheHostOnce(t *testing.T) {
	const server = "https://mcp.test/mcp"
	get := func(err error) error { return &url.Error{Op: "Get", URL: server, Err: err} }
	for _, tt := range []struct {
		err  error
		want string
	}{
		{fmt.Errorf("discover %s: %w", server, get(syscall.ECONNREFUSED)), "cannot reach mcp.test: connection refused"},
		{fmt.Errorf("discover %s: %w", server, get(io.EOF)), "cannot reach mcp.test: the connection was closed before the whole answer came"},
		{fmt.Errorf("discover %s: %w", server, get(errors.New("malformed HTTP response \"SSH-2.0\""))), "cannot reach mcp.test: the program on this port does not use HTTP"},
		{fmt.Errorf("connect to %s: %w", server, get(syscall.ECONNREFUSED)), "cannot reach mcp.test: connection refused"},
		{errors.Join(fmt.Errorf("revoke a: %w", get(syscall.ECONNREFUSED)), fmt.Errorf("revoke b: %w", get(context.DeadlineExceeded))),
			"revoke a: cannot reach mcp.test: connection refused\nrevoke b: cannot reach mcp.test: no answer in time"},
		{get(errors.New("something new")), "cannot reach mcp.test: something new"},
		{get(&oauth.RedirectError{From: server, To: "https://other.test/", Reason: "it leads to another origin"}), "https://mcp.test/mcp redirects to https://other.test/: not followed, it leads to another origin"},
		{fmt.Errorf("discover %s: %w", server, &oauth.Error{Status: 500, Endpoint: server}), server + " answered HTTP 500"},
		{fmt.Errorf("discover %s: authorization server https://as.test: %w", server, &oauth.Error{Status: 500, Endpoint: "https://as.test/x"}), "discover " + server + ": https://as.test/x answered HTTP 500"},
		{fmt.Errorf("the secret was not sent to %s: %w", server, fmt.Errorf("%s chose it", server)), "the secret was not sent to " + server + ": " + server + " chose it"},
		{fmt.Errorf("discover %s: %w", server, errors.New("no authorization server")), "discover " + server + ": no authorization server"},
	} {
		if got := netfault.Text(tt.err); got != tt.want {
			t.Errorf("text of %v\n got %q\nwant %q", tt.err, got, tt.want)
		}
	}
}
