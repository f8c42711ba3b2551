package oauth

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"testing"
)

// names is a DNS server that returns the next of its answers for each lookup, and
// repeats the last.
type names struct {
	answers [][]string
	lookups int
}

func (n *names) lookup(context.Context, string) ([]netip.Addr, error) {
	answer := n.answers[min(n.lookups, len(n.answers)-1)]
	n.lookups++
	var addrs []netip.Addr
	for _, a := range answer {
		addrs = append(addrs, netip.MustParseAddr(a))
	}
	if addrs == nil {
		return nil, errors.New("no answer")
	}
	return addrs, nil
}

// transports returns the guarded transports of some servers, in one process.
func (n *names) transports(servers ...string) []*guardedTransport {
	hosts := &Hosts{lookup: n.lookup}
	var all []*guardedTransport
	for _, s := range servers {
		clients := Guard{Hosts: hosts}.Clients() // like the separate clients of each command and profile
		all = append(all, clients(s).Transport.(*guardedTransport))
	}
	return all
}

// dials reports whether the guard allows a connection to an address of a host.
func dials(t *guardedTransport, host, address string) bool {
	ctx := context.WithValue(context.Background(), dialedKey{}, host)
	return t.control(ctx, "tcp", address, nil) == nil
}

const (
	publicAddr = "203.0.113.5:443"
	localAddr  = "127.0.0.1:443"
)

// TestRebinding: changing DNS answers must not give the owner of a name access to
// the local network.
func TestRebinding(t *testing.T) {
	t.Parallel()
	type dial struct {
		host, address string
		ok            bool
	}
	for _, tt := range []struct {
		name  string
		names [][]string
		dials []dial
	}{
		{"public first, then loopback", [][]string{{"127.0.0.1"}},
			[]dial{{"mcp.test", publicAddr, true}, {"mcp.test", localAddr, false}, {"as.test", localAddr, false}}},
		{"loopback first, then public", [][]string{{"127.0.0.1"}},
			[]dial{{"mcp.test", localAddr, true}, {"mcp.test", publicAddr, true}, {"mcp.test", localAddr, false}, {"as.test", localAddr, false}}},
		{"a refresh contacts the authorization server first", [][]string{{"127.0.0.1"}},
			[]dial{{"as.test", localAddr, true}, {"mcp.test", publicAddr, true}, {"as.test", localAddr, false}}},
		{"a refresh of a public server", [][]string{{"203.0.113.5"}, {"127.0.0.1"}},
			[]dial{{"as.test", localAddr, false}, {"as.test", localAddr, false}, {"mcp.test", localAddr, false}}},
		{"public and loopback", [][]string{{"127.0.0.1", "203.0.113.5"}, {"127.0.0.1"}},
			[]dial{{"mcp.test", localAddr, false}, {"mcp.test", publicAddr, true}, {"as.test", localAddr, false}}},
		{"IPv4 and IPv6, both local", [][]string{{"127.0.0.1", "fd00::1"}},
			[]dial{{"mcp.test", "[fd00::1]:443", true}, {"mcp.test", localAddr, true}, {"as.test", "10.0.0.1:443", true}}},
		{"IPv4 private, IPv6 public", [][]string{{"10.0.0.1", "2001:db8::1"}},
			[]dial{{"mcp.test", "10.0.0.1:443", false}, {"mcp.test", "[2001:db8::1]:443", true}}},
		{"no answer, then local", [][]string{{}, {"127.0.0.1"}},
			[]dial{{"as.test", localAddr, false}, {"as.test", localAddr, true}}},
		{"another host's public address decides nothing", [][]string{{"127.0.0.1"}},
			[]dial{{"as.test", publicAddr, true}, {"mcp.test", localAddr, true}}},
		{"the name in another spelling", [][]string{{"127.0.0.1"}},
			[]dial{{"MCP.test.", publicAddr, true}, {"mcp.test", localAddr, false}}},
		{"link-local and loopback", [][]string{{"127.0.0.1", "169.254.169.254"}},
			[]dial{{"mcp.test", localAddr, false}, {"mcp.test", "169.254.169.254:443", false}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			g := (&names{answers: tt.names}).transports("https://mcp.test/mcp")[0]
			for i, d := range tt.dials {
				if got := dials(g, d.host, d.address); got != d.ok {
					t.Errorf("dial %d, %s at %s: allowed %t, want %t", i, d.host, d.address, got, d.ok)
				}
			}
		})
	}
}

// TestRebindingAcrossClients: an address that one client has seen of a host counts
// for every client of the process.
func TestRebindingAcrossClients(t *testing.T) {
	t.Parallel()
	n := &names{answers: [][]string{{"127.0.0.1"}}}
	g := n.transports("https://mcp.test/a", "https://mcp.test:8443/b", "https://as.test/")
	if !dials(g[0], "as.test", localAddr) {
		t.Error("a local server's authorization server is rejected")
	}
	if !dials(g[2], "mcp.test", publicAddr) { // named by a server of another profile
		t.Error("a public address is rejected")
	}
	for i := range 2 {
		if dials(g[i], "mcp.test", localAddr) || dials(g[i], "as.test", localAddr) {
			t.Errorf("client %d still treats the server as local", i)
		}
	}
	if n.lookups != 1 {
		t.Errorf("%d lookups, want 1", n.lookups)
	}
}

// TestPrivateRelay: the user's relay may be in the private network. This allows its
// address only for the relay's own client, but not for URLs from an MCP server or
// for link-local hosts.
func TestPrivateRelay(t *testing.T) {
	t.Parallel()
	const address, metadata = "10.0.0.7:443", "169.254.169.254:443"
	n := &names{answers: [][]string{{"10.0.0.7"}, {"203.0.113.5"}}}
	g := n.transports("https://relay.test", "https://mcp.test/mcp")
	relay, server := g[0], g[1]
	if !dials(relay, "relay.test", address) {
		t.Error("the relay's client cannot connect to its private address")
	}
	if dials(relay, "relay.test", metadata) {
		t.Error("the relay's client can connect to a link-local address")
	}
	for _, host := range []string{"relay.test", "as.test", "mcp.test"} {
		if dials(server, host, address) {
			t.Errorf("the client of a public MCP server can connect to the relay's address as %s", host)
		}
	}
}

// TestBehindProxyIsPublic: behind a proxy, the address of a name is unknown.
func TestBehindProxyIsPublic(t *testing.T) {
	t.Parallel()
	g := (&names{answers: [][]string{{"127.0.0.1"}}}).transports("https://mcp.test/mcp")[0]
	g.proxy = func(*http.Request) (*url.URL, error) { return url.Parse("http://127.0.0.1:1") }
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://mcp.test/mcp", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.RoundTrip(r); err == nil {
		t.Fatal("port 1 has a listener")
	}
	if dials(g, "as.test", localAddr) {
		t.Error("a server behind a proxy counts as local")
	}
}

func TestMovedServerIsExplained(t *testing.T) {
	t.Parallel()
	g := (&names{answers: [][]string{{"10.0.0.1"}}}).transports("https://mcp.test/mcp")[0]
	for _, tt := range []struct {
		host, address string
		moved         bool
	}{
		{"mcp.test", publicAddr, false},
		{"mcp.test", "10.0.0.1:443", true},
		{"mcp.test", "169.254.1.1:443", false},
		{"as.test", "10.0.0.1:443", false},
	} {
		err := g.control(context.WithValue(t.Context(), dialedKey{}, tt.host), "tcp", tt.address, nil)
		if e, ok := errors.AsType[*AddressError](err); tt.address != publicAddr && (!ok || e.Moved != tt.moved) {
			t.Errorf("%s at %s: %v, want an *AddressError with Moved %t", tt.host, tt.address, err, tt.moved)
		}
	}
}
