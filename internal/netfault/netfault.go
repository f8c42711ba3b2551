// Package netfault explains in the user's terms why a request got no response,
// and what to do about that. It must not know what the request was for.
package netfault

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"syscall"

	"github.com/mcp-login/mcp-login/internal/netcheck"
	"github.com/mcp-login/mcp-login/oauth"
)

// Text is the text of an error, in which the words of Go's network library are
// replaced by the user's, and no step names a host that a later one names again.
func Text(err error) string {
	text := err.Error()
	for _, failed := range requests(err) {
		text = strings.Replace(text, failed.Error(), reason(failed), 1)
	}
	return once(text)
}

// requests returns the requests that failed. A joined error has several.
func requests(err error) (all []*url.Error) {
	switch err := err.(type) {
	case *url.Error:
		if err.Op != "parse" {
			all = append(all, err)
		}
	case interface{ Unwrap() error }:
		all = requests(err.Unwrap())
	case interface{ Unwrap() []error }:
		for _, cause := range err.Unwrap() {
			all = append(all, requests(cause)...)
		}
	}
	return all
}

// reason says why a request failed, and at which host.
func reason(failed *url.Error) string {
	host := hostOf(failed)
	detail, _ := Explain(host, failed)
	if named := failed.Err.Error(); detail == "" && strings.Contains(named, host) {
		return named
	} else if detail == "" {
		detail = oauth.Sanitize(named, maxCause)
	}
	return "cannot reach " + host + ": " + detail
}

// Remedy returns what to do about a request that failed, "" if nothing is known.
func Remedy(failed *url.Error) string {
	_, remedy := Explain(hostOf(failed), failed)
	return remedy
}

func hostOf(failed *url.Error) string {
	if u, err := url.Parse(failed.URL); err == nil && u.Host != "" {
		return u.Host
	}
	return failed.URL
}

const maxCause = 300 // characters

// once leaves out each step that only says which URL was asked, such as "discover
// https://mcp.test/mcp", where a later step names the same host.
func once(text string) string {
	steps := strings.Split(text, ": ")
	var kept []string
	for i, step := range steps {
		if host := asked(step); host == "" || !strings.Contains(strings.Join(steps[i+1:], ": "), host) {
			kept = append(kept, step)
		}
	}
	return strings.Join(kept, ": ")
}

// asked returns the host that a step asked, "" if it did something else.
func asked(step string) string {
	asks := func(begins string) bool { return strings.HasPrefix(step, begins) }
	if !slices.ContainsFunc([]string{"discover ", "authorization server ", "connect to "}, asks) {
		return ""
	}
	u, err := url.Parse(step[strings.LastIndexByte(step, ' ')+1:])
	if err != nil {
		return ""
	}
	return u.Host
}

// noSuchHost says that a name does not exist, and which, if it is not the host's.
func noSuchHost(host, name string) string {
	if named, _, err := net.SplitHostPort(host); err == nil {
		host = named
	}
	if strings.TrimSuffix(name, ".") == host {
		return "no such host name"
	}
	return "no such host name: " + oauth.Sanitize(name, 200)
}

// Explain returns why a request to a host got no response, and what to do; "" if err
// is not a network error.
func Explain(host string, err error) (detail, remedy string) {
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "proxyconnect" {
		return "the HTTP proxy cannot be reached: " + cause(op.Err), "check HTTPS_PROXY and NO_PROXY"
	}
	if proxy, ok := errors.AsType[*oauth.ProxyError](err); ok {
		return proxy.Error(), "check HTTPS_PROXY, HTTP_PROXY and NO_PROXY, or ask the administrator of the proxy"
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		if dns.IsNotFound {
			return noSuchHost(host, dns.Name), "check the spelling of the URL"
		}
		return "the DNS server did not answer for " + host, "check the network and /etc/resolv.conf"
	}
	if detail, remedy := explainTLS(host, err); detail != "" {
		return detail, remedy
	}
	if address, ok := errors.AsType[*oauth.AddressError](err); ok {
		return oauth.Sanitize(address.Error(), 300), "only an MCP server with a private address can use other private addresses"
	}
	if detail := cause(err); detail != "" {
		return detail, "check whether the server is running, and whether a firewall blocks it"
	}
	return "", ""
}

// explainTLS explains a TLS error; "" for others.
func explainTLS(host string, err error) (detail, remedy string) {
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return "its certificate is signed by an authority that this machine does not trust", "if it is your organization's authority, use: --ca-cert FILE"
	}
	if name, ok := errors.AsType[x509.HostnameError](err); ok {
		names := cmp.Or(strings.Join(name.Certificate.DNSNames, ", "), "no host name")
		return "its certificate is for other names: " + oauth.Sanitize(names, 200), "check the URL, or ask the server's operator to fix it"
	}
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok && invalid.Reason == x509.Expired {
		return "its certificate has expired, or this machine's clock is wrong", "check the clock, or ask the server's operator to renew the certificate"
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok || errors.Is(err, http.ErrSchemeMismatch) {
		if name, _, err := net.SplitHostPort(host); err == nil && netcheck.IsLoopback(name) {
			return "it does not use TLS on this port", "check the port of the URL, or use http:// for a server on this machine"
		}
		return "it does not use TLS on this port", "check the port of the URL"
	}
	return "", ""
}

// cause returns the innermost reason; "" if it is not a network error.
func cause(err error) string {
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	case errors.Is(err, syscall.ECONNRESET):
		return "connection reset"
	case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH):
		return "no route to the host"
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer in time"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "the connection was closed before the whole answer came"
	case strings.Contains(err.Error(), "malformed HTTP"): // net/http has no error for it
		return "the program on this port does not use HTTP"
	}
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
		return "no answer in time"
	}
	return ""
}
