package relay

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// maxAddresses bounds the memory of a limiter. Beyond it, addresses that are not
// known yet share one allowance until the next window.
const maxAddresses = 50_000

// limiter counts events per address in windows of a fixed length.
type limiter struct {
	max    int
	window time.Duration

	mu    sync.Mutex // guards the rest
	count map[netip.Addr]int
	until time.Time
}

func newLimiter(limit int, window time.Duration) *limiter {
	return &limiter{max: limit, window: window, count: map[netip.Addr]int{}}
}

// allow counts an event and reports whether the address may go on.
func (l *limiter) allow(a netip.Addr) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.turn()
	if _, known := l.count[a]; !known && len(l.count) >= maxAddresses {
		a = netip.Addr{}
	}
	if l.count[a] >= l.max {
		return false
	}
	l.count[a]++
	return true
}

// spent reports whether the address has used its allowance up.
func (l *limiter) spent(a netip.Addr) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.turn()
	return l.count[a] >= l.max
}

func (l *limiter) turn() {
	if now := time.Now(); !now.Before(l.until) {
		l.until = now.Add(l.window)
		clear(l.count)
	}
}

// address returns who sent a request: the peer or, behind a trusted proxy, the
// last address in X-Forwarded-For that is not a trusted proxy itself. Of an IPv6
// address only the network counts, since one machine has many addresses.
func (r *Relay) address(req *http.Request) netip.Addr {
	host, _, err := net.SplitHostPort(req.RemoteAddr)
	if err != nil {
		host = req.RemoteAddr
	}
	at, _ := netip.ParseAddr(host) // unreadable: the zero address, which is limited too
	at = at.Unmap()
	hops := strings.Split(strings.Join(req.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && r.trusts(at); i-- {
		hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		at = hop.Unmap()
	}
	at = at.WithZone("")
	if at.Is6() {
		network, _ := at.Prefix(64)
		return network.Addr()
	}
	return at
}

func (r *Relay) trusts(a netip.Addr) bool {
	for _, p := range r.cfg.TrustedProxies {
		if p.Contains(a) {
			return true
		}
	}
	return false
}
