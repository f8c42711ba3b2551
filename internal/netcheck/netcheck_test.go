package netcheck_test

import (
	"errors"
	"net/url"
	"testing"

	"github.com/mcp-login/mcp-login/internal/netcheck"
)

// TestListen: only loopback addresses are accepted for listening.
func TestListen(t *testing.T) {
	for address, allowed := range map[string]bool{
		"127.0.0.1:0": true,
		"0.0.0.0:0":   false, ":0": false, "[::]:0": false, "192.0.2.1:0": false,
		"localhost:0": false, "127.0.0.1": false, "": false,
	} {
		l, err := netcheck.Listen(address)
		if err == nil {
			l.Close()
		}
		if allowed != (err == nil) || !allowed && !errors.Is(err, netcheck.ErrAddress) {
			t.Errorf("Listen(%q): %v", address, err)
		}
	}
}

// TestIsLoopback: a name that is resolved by DNS is not loopback.
func TestIsLoopback(t *testing.T) {
	for host, want := range map[string]bool{
		"127.0.0.1:9100": true, "127.0.0.1": true, "[::1]:80": true, "[::1]": true, "localhost:1": true, "LOCALHOST": true,
		"evil.test:9100": false, "localhost.evil.test": false, "127.0.0.1.evil.test:80": false, "0.0.0.0:80": false, "": false,
	} {
		if got := netcheck.IsLoopback(host); got != want {
			t.Errorf("IsLoopback(%q) = %v, want %v", host, got, want)
		}
	}
}

// TestIsRedirectHost: not every system can listen on every loopback address.
func TestIsRedirectHost(t *testing.T) {
	for host, want := range map[string]bool{
		"127.0.0.1": true, "localhost": true, "::1": true,
		"127.0.0.2": false, "[::1]": false, "127.0.0.1:80": false, "localhost.": false, "": false,
	} {
		if got := netcheck.IsRedirectHost(host); got != want {
			t.Errorf("IsRedirectHost(%q) = %v, want %v", host, got, want)
		}
	}
}

func TestSameOrigin(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want bool
	}{
		{"https://a.test/x", "https://a.test:443/y?q", true},
		{"http://a.test", "http://a.test:80", true},
		{"HTTPS://A.test", "https://a.TEST/", true},
		{"https://a.test", "http://a.test", false},
		{"https://a.test", "https://a.test:8443", false},
		{"https://a.test", "https://a.test.evil.test", false},
		{"http://a.test:443", "https://a.test", false},
		{"http://[::1]:8080", "http://[::1]:8080/mcp", true},
		{"null", "http://a.test", false},
	} {
		a, err1 := url.Parse(tt.a)
		b, err2 := url.Parse(tt.b)
		if err := errors.Join(err1, err2); err != nil {
			t.Fatal(err)
		}
		if got := netcheck.SameOrigin(a, b); got != tt.want || netcheck.SameOrigin(b, a) != tt.want {
			t.Errorf("SameOrigin(%s, %s) = %v, want %v", a, b, got, tt.want)
		}
	}
}
