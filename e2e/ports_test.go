//go:build e2e

package e2e

import (
	"fmt"
	"net"
	"sync"
	"testing"
)

var handedOut struct {
	sync.Mutex
	ports map[int]bool
}

// freePorts returns a port that is free together with the next one, for servers
// that cannot take a port by themselves. No two tests are given the same: the
// system hands one out again as soon as it is closed.
func freePorts(t testing.TB) int {
	t.Helper()
	handedOut.Lock()
	defer handedOut.Unlock()
	for range 100 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		port := l.Addr().(*net.TCPAddr).Port
		next, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port+1))
		l.Close()
		if err != nil {
			continue
		}
		next.Close()
		if handedOut.ports[port] || handedOut.ports[port+1] {
			continue
		}
		if handedOut.ports == nil {
			handedOut.ports = map[int]bool{}
		}
		handedOut.ports[port], handedOut.ports[port+1] = true, true
		return port
	}
	t.Fatal("no two neighbouring ports are free")
	return 0
}
