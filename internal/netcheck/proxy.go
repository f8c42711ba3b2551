package netcheck

import (
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// ErrProxy means that a value is not the URL of an HTTP proxy. It does not contain
// the value, because that can have a password.
var ErrProxy = errors.New("is not the URL of a proxy; set it to http://HOST:PORT, or unset it")

// Proxy returns the host of an environment variable such as HTTPS_PROXY, or
// ErrProxy. Without a scheme the value is a host and a port, as the HTTP client
// reads it.
func Proxy(value string) (host string, err error) {
	if !strings.Contains(value, "://") {
		value = "http://" + value
	}
	u, err := url.Parse(value)
	if err != nil || u.Hostname() == "" || strings.ContainsAny(u.Host, " \t") {
		return "", ErrProxy
	}
	if !slices.Contains([]string{"http", "https", "socks5", "socks5h"}, u.Scheme) {
		return "", ErrProxy
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return "", ErrProxy
		}
	}
	return u.Host, nil
}
