// Package netfault says in the user's terms why a request got no answer, and what
// to do about that. It must not know what the request was for.
package netfault

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"

	"github.com/mcp-login/mcp-login/oauth"
)

// Text is the text of an error, in which the words of Go's network library are
// replaced by the user's.
func Text(err error) string {
	failed, ok := errors.AsType[*url.Error](err)
	if !ok {
		return err.Error()
	}
	host := failed.URL
	if u, perr := url.Parse(failed.URL); perr == nil && u.Host != "" {
		host = u.Host
	}
	detail, _ := Explain(host, failed)
	if detail == "" {
		return err.Error()
	}
	before, after, _ := strings.Cut(err.Error(), failed.Error())
	if strings.Contains(before, "://"+host) {
		before = "" // it names the host already
	}
	return before + "cannot reach " + host + ": " + detail + after
}

// Explain returns why a request to a host got no answer, and what to do; "" if err is
// no fault of the way there.
func Explain(host string, err error) (detail, remedy string) {
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "proxyconnect" {
		return "the HTTP proxy cannot be reached: " + cause(op.Err), "check HTTPS_PROXY and NO_PROXY"
	}
	if proxy, ok := errors.AsType[*oauth.ProxyError](err); ok {
		return proxy.Error(), "check HTTPS_PROXY, HTTP_PROXY and NO_PROXY, or ask the administrator of the proxy"
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		if dns.IsNotFound {
			return "no such host name: " + oauth.Sanitize(dns.Name, 200), "check the spelling of the URL"
		}
		return "the DNS server did not answer for " + host, "check the network and /etc/resolv.conf"
	}
	if detail, remedy := explainTLS(err); detail != "" {
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

// explainTLS translates a fault of TLS; "" if it is none.
func explainTLS(err error) (detail, remedy string) {
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
		return "it does not use TLS on this port", "check the port of the URL"
	}
	return "", ""
}

// cause is the innermost reason; "" if it is none of the network's.
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
	}
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
		return "no answer in time"
	}
	return ""
}
