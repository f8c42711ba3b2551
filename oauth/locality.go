package oauth

import (
	"context"
	"net"
	"net/netip"
	"net/url"
	"sync"
)

// Hosts remembers whether the hosts of MCP servers are private or public. The
// zero value is empty. It is safe for concurrent use and must not be copied.
type Hosts struct {
	lookup lookup // nil: the system resolver

	mu    sync.Mutex // guards hosts
	hosts map[string]*serverHost
}

// lookup resolves a name to its addresses.
type lookup func(ctx context.Context, name string) ([]netip.Addr, error)

func systemLookup(ctx context.Context, name string) ([]netip.Addr, error) {
	return net.DefaultResolver.LookupNetIP(ctx, "ip", name)
}

// of returns the host of an MCP server's URL, the same one for each call; nil
// if the URL has none.
func (s *Hosts) of(server string) *serverHost {
	u, err := url.Parse(server)
	if err != nil || u.Hostname() == "" {
		return nil
	}
	name := hostKey(u.Hostname())
	s.mu.Lock()
	defer s.mu.Unlock()
	if h := s.hosts[name]; h != nil {
		return h
	}
	h := &serverHost{name: name, lookup: s.lookup}
	if h.lookup == nil {
		h.lookup = systemLookup
	}
	if s.hosts == nil {
		s.hosts = map[string]*serverHost{}
	}
	s.hosts[name] = h
	return h
}

// setPublic records that a host has a public address. Hosts of other servers
// are ignored.
func (s *Hosts) setPublic(host string) {
	s.mu.Lock()
	h := s.hosts[hostKey(host)]
	s.mu.Unlock()
	if h != nil {
		h.set(isPublic)
	}
}

// serverHost is one MCP server's host. It changes from local to public, never
// back: otherwise its owner, who controls the DNS records, could direct
// requests to addresses in this machine's private network (DNS rebinding).
type serverHost struct {
	name   string
	lookup lookup

	mu       sync.Mutex // guards place
	locality locality
}

type locality int

const (
	undecided locality = iota
	isLocal
	isPublic
)

func (h *serverHost) set(p locality) locality {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.locality = max(h.locality, p)
	return h.locality
}

// isLocal reports whether the host is local. If it was not dialed yet, isLocal
// resolves its name: a refresh contacts the authorization server first, and may
// never contact the MCP server.
func (h *serverHost) isLocal(ctx context.Context) bool {
	if p := h.set(undecided); p != undecided {
		return p == isLocal
	}
	addrs, err := h.addrs(ctx)
	if err != nil {
		return false // still undecided: the next request resolves again
	}
	found := isLocal
	for _, ip := range addrs {
		if classOf(ip) != local {
			found = isPublic
		}
	}
	return h.set(found) == isLocal
}

// movedFrom reports whether host is the name of h and counts as public.
func (h *serverHost) movedFrom(host string) bool {
	if h == nil || h.name != hostKey(host) {
		return false
	}
	_, err := netip.ParseAddr(h.name)
	return err != nil && h.set(undecided) == isPublic
}

// addrs returns at least one address, or an error.
func (h *serverHost) addrs(ctx context.Context) ([]netip.Addr, error) {
	if ip, err := netip.ParseAddr(h.name); err == nil {
		return []netip.Addr{ip}, nil
	}
	addrs, err := h.lookup(ctx, h.name)
	if err == nil && len(addrs) == 0 {
		err = &net.DNSError{Err: "no addresses", Name: h.name, IsNotFound: true}
	}
	return addrs, err
}
