//go:build e2e

package e2e

import (
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
)

var usedPorts struct {
	sync.Mutex
	ports map[int]bool
}

// freePorts returns a port that is free together with the next one, for servers
// that cannot choose a port themselves. The port is outside the range that the
// system assigns to outgoing connections and to listeners on port 0
// (ip_local_port_range), because those could take it before the server does. No
// two tests get the same port.
func freePorts(t testing.TB) int {
	t.Helper()
	const first, last = 10_000, 32_000
	usedPorts.Lock()
	defer usedPorts.Unlock()
	if usedPorts.ports == nil {
		usedPorts.ports = map[int]bool{}
	}
	for range 100 {
		port := first + 2*rand.N((last-first)/2)
		if usedPorts.ports[port] || !isFree(port) || !isFree(port+1) {
			continue
		}
		usedPorts.ports[port] = true
		return port
	}
	t.Fatal("no two adjacent ports are free")
	return 0
}

func isFree(port int) bool {
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return false
	}
	_ = l.Close() // the port was only probed
	return true
}
