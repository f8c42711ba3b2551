// Package netcheck answers whether a host is this machine, whether two URLs have
// the same origin, and what a proxy setting names: each check once, for all
// packages. It must not resolve names, nor know about requests.
package netcheck

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
)

// ErrAddress means that an address is not a loopback address with a port.
var ErrAddress = errors.New("use 127.0.0.1:PORT or [::1]:PORT")

// Listen listens on a loopback address and port, which no other machine can
// reach.
func Listen(address string) (net.Listener, error) {
	at, err := netip.ParseAddrPort(address)
	if err != nil || !at.Addr().IsLoopback() {
		return nil, fmt.Errorf("%q: %w", address, ErrAddress)
	}
	return net.Listen("tcp", address)
}

// IsLoopback reports whether a host, or a Host header with or without a port, is
// localhost or a loopback address, which no name server controls. A web page that
// reaches a loopback address by DNS rebinding sends another name.
func IsLoopback(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && ip.Unmap().IsLoopback()
}

// IsRedirectHost reports whether a host is one of the names by which a program of
// every system can listen for a redirect (RFC 8252 §7.3). Loopback addresses such
// as 127.0.0.2 are not.
func IsRedirectHost(host string) bool {
	return host == "127.0.0.1" || host == "localhost" || host == "::1"
}

// SameOrigin compares the scheme, host and port of two URLs (RFC 6454 §5).
func SameOrigin(a, b *url.URL) bool {
	return strings.EqualFold(a.Scheme, b.Scheme) && strings.EqualFold(a.Hostname(), b.Hostname()) && port(a) == port(b)
}

func port(u *url.URL) string {
	if p := u.Port(); p != "" {
		return p
	}
	return map[string]string{"http": "80", "https": "443"}[strings.ToLower(u.Scheme)]
}

// Prefixes parses addresses and networks.
func Prefixes(texts []string) (all []netip.Prefix, err error) {
	for _, text := range texts {
		p, err := netip.ParsePrefix(text)
		if a, aerr := netip.ParseAddr(text); aerr == nil {
			p, err = netip.PrefixFrom(a, a.BitLen()), nil
		}
		if err != nil {
			return nil, fmt.Errorf("%q is neither an address nor a network", text)
		}
		all = append(all, p.Masked())
	}
	return all, nil
}
