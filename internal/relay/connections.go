package relay

import (
	"net"
	"net/netip"
	"sync"
)

// perSession is the number of connections of an address for each session that it may
// open.
const perSession = 10

// connections limits the connections of one address, so that one machine cannot use up
// all file descriptors. Those of a trusted proxy are not counted.
type connections struct {
	net.Listener
	relay *Relay

	mu    sync.Mutex // guards count
	count map[netip.Addr]int
}

// Accept implements [net.Listener].
func (l *connections) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		from, _ := parseAddr(c.RemoteAddr().String())
		if l.relay.trusts(from) {
			return c, nil
		}
		from = network(from)
		if l.add(from, 1) <= perSession*l.relay.cfg.Limits.SessionsPerAddress {
			return &counted{Conn: c, closed: sync.OnceFunc(func() { l.add(from, -1) })}, nil
		}
		l.add(from, -1)
		l.relay.metrics.limited.Inc()
		_ = c.Close() // nothing was sent
	}
}

func (l *connections) add(from netip.Addr, n int) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.count == nil {
		l.count = map[netip.Addr]int{}
	}
	l.count[from] += n
	if l.count[from] == 0 {
		delete(l.count, from)
		return 0
	}
	return l.count[from]
}

// counted is a connection that counts toward the limit until it is closed.
type counted struct {
	net.Conn
	closed func()
}

// Close implements [net.Conn].
func (c *counted) Close() error {
	c.closed()
	return c.Conn.Close()
}
