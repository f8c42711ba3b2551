package netcheck_test

import (
	"errors"
	"testing"

	"github.com/mcp-login/mcp-login/internal/netcheck"
)

// TestListen: only a loopback address is listened at.
func TestListen(t *testing.T) {
	for address, fine := range map[string]bool{
		"127.0.0.1:0": true,
		"0.0.0.0:0":   false, ":0": false, "[::]:0": false, "192.0.2.1:0": false,
		"localhost:0": false, "127.0.0.1": false, "": false,
	} {
		l, err := netcheck.Listen(address)
		if err == nil {
			l.Close()
		}
		if fine != (err == nil) || !fine && !errors.Is(err, netcheck.ErrAddress) {
			t.Errorf("Listen(%q): %v", address, err)
		}
	}
}

// TestIsLoopback: a name that a name server could answer for is not loopback.
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
