package netcheck_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/mcp-login/mcp-login/internal/netcheck"
)

func TestProxy(t *testing.T) {
	for value, want := range map[string]string{
		"http://proxy.test:3128":           "proxy.test:3128",
		"http://user:hush@proxy.test:3128": "proxy.test:3128",
		"127.0.0.1:21890":                  "127.0.0.1:21890",
		"proxy.test":                       "proxy.test",
		"socks5://[::1]:1080":              "[::1]:1080",
	} {
		if host, err := netcheck.Proxy(value); err != nil || host != want {
			t.Errorf("Proxy(%q) = %q, %v, want %q", value, host, err, want)
		}
	}
	for _, value := range []string{":bad", "::::", "foo bar", "http://[", "ftp://x", "http://x:99999", "http://user:hush@", "http://%zz:hush@x"} {
		if _, err := netcheck.Proxy(value); !errors.Is(err, netcheck.ErrProxy) || strings.Contains(err.Error(), "hush") {
			t.Errorf("Proxy(%q) = %v, want ErrProxy", value, err)
		}
	}
}
