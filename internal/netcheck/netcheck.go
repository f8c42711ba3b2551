// Package netcheck answers whether an address or a Host header names this
// machine. It must not resolve names, nor know what is served.
package netcheck

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
)

// ErrAddress means that an address is not a loopback address with a port.
var ErrAddress = errors.New("use 127.0.0.1:PORT or [::1]:PORT")

// Listen listens at a loopback address and port, which no other machine can
// reach.
func Listen(address string) (net.Listener, error) {
	at, err := netip.ParseAddrPort(address)
	if err != nil || !at.Addr().IsLoopback() {
		return nil, fmt.Errorf("%q: %w", address, ErrAddress)
	}
	return net.Listen("tcp", address)
}

// IsLoopback reports whether a Host header names this machine as no name server
// can. A web page that reaches a loopback address by DNS rebinding sends another
// name.
func IsLoopback(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && ip.IsLoopback()
}

// Prefixes reads addresses and networks.
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
