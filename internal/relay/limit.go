package relay

import (
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"
)

const (
	// maxAddresses limits the memory of a limiter. Beyond it, new addresses share the
	// allowance of a wide network until the next window, so that a client with many
	// addresses affects only its neighbors.
	maxAddresses = 50_000
	maxNetworks  = 2 * maxAddresses
	wide4, wide6 = 8, 24 // bits
	sharedBy     = 100   // times the allowance of one address
)

// limiter is a rate limiter: it counts events per address in fixed windows.
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

// allow counts an event and reports whether the address is within its limit.
func (l *limiter) allow(a netip.Addr) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.nextWindow()
	most := l.max
	if _, known := l.count[a]; !known && len(l.count) >= maxAddresses {
		a, most = networkOf(a), sharedBy*l.max
	}
	if _, known := l.count[a]; !known && len(l.count) >= maxNetworks {
		a = netip.Addr{}
	}
	if l.count[a] >= most {
		return false
	}
	l.count[a]++
	return true
}

// networkOf returns the address of the wide network of an address.
func networkOf(a netip.Addr) netip.Addr {
	bits := wide4
	if a.Is6() {
		bits = wide6
	}
	p, err := a.Prefix(bits)
	if err != nil {
		return netip.Addr{}
	}
	return p.Addr()
}

// exceeded reports whether the address has reached its limit.
func (l *limiter) exceeded(a netip.Addr) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.nextWindow()
	return l.count[a] >= l.max
}

func (l *limiter) nextWindow() {
	if now := time.Now(); !now.Before(l.until) {
		l.until = now.Add(l.window)
		clear(l.count)
	}
}

// address returns the client address of a request: the peer or, behind a trusted
// proxy, the last address in X-Forwarded-For that is not a trusted proxy itself.
// Of an IPv6 address only the network counts, because one machine has many
// addresses.
func (r *Relay) address(req *http.Request) netip.Addr {
	at, _ := parseAddr(req.RemoteAddr) // invalid: the zero address, which is limited too
	hops := strings.Split(strings.Join(req.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && r.trusts(at); i-- {
		before, ok := parseAddr(strings.TrimSpace(hops[i]))
		if !ok {
			break
		}
		at = before
	}
	return network(at)
}

// parseAddr reads an address, with a port or without: some proxies write one.
func parseAddr(text string) (netip.Addr, bool) {
	if p, err := netip.ParseAddrPort(text); err == nil {
		return p.Addr().Unmap().WithZone(""), true
	}
	a, err := netip.ParseAddr(strings.Trim(text, "[]"))
	return a.Unmap().WithZone(""), err == nil
}

// network returns the part of an address that counts for limits.
func network(a netip.Addr) netip.Addr {
	if !a.Is6() {
		return a
	}
	p, _ := a.Prefix(64) // cannot fail: an IPv6 address has more bits
	return p.Addr()
}

func (r *Relay) trusts(a netip.Addr) bool {
	for _, p := range r.cfg.TrustedProxies {
		if p.Contains(a) {
			return true
		}
	}
	return false
}
