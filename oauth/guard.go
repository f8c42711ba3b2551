package oauth

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Limits of a guarded client.
const (
	defaultTimeout = 30 * time.Second
	connectTimeout = 10 * time.Second
	maxHeader      = 64 << 10
	// maxUnread is how much of one HTTP/2 answer may wait in memory until it is
	// read. The default of net/http is 4 MiB, for each of any number of answers.
	maxUnread = 1 << 20
)

const userAgent = "mcp-login"

// Guard makes the http.Client that trusts nobody. Its zero value works.
//
// Everything below holds in the client's Transport, so that it also holds for
// another http.Client around the same Transport:
//
//   - https only (http to loopback alone).
//   - At most three redirects, none of them of a POST and none to another
//     scheme. A redirect to another host carries no headers that identify the client.
//   - Every address that is not public is refused at dial time, after name
//     resolution. A resource_metadata URL or an endpoint is chosen by a
//     stranger: without that check it could point into the network that this
//     machine stands in.
//   - At most 1 MiB of an answer is read, counted after decompression, unless
//     the request asks for more: see [WithMessageLimit].
type Guard struct {
	// Server is the MCP server's URL. If its own host is in a private network
	// or on loopback, private and loopback addresses are allowed for every
	// request. Link-local addresses, where clouds serve instance credentials,
	// never are. "" means that only public addresses are.
	//
	// The host counts as private while all addresses that its name has are
	// private. Once it was dialed at a public address, or its name had one, or
	// it was reached through a proxy, it counts as public for as long as Hosts
	// lives: a name that changes its address cannot open the network.
	Server string
	// RootCAs are the certificates to trust; nil means the system's.
	RootCAs *x509.CertPool
	// Proxy chooses the proxy of a request, as in http.Transport; nil means
	// none. The address of a proxy may be private. Names are then resolved by
	// the proxy, so that only literal addresses can be refused.
	Proxy func(*http.Request) (*url.URL, error)
	// Timeout limits a whole request, body included; 0 means 30 s. It belongs to
	// the client, not to its Transport.
	Timeout time.Duration
	// Hosts remembers which MCP servers' hosts are public. Share one among all
	// guards of a process; nil means one for each Client and each Clients.
	Hosts *Hosts
}

// Clients returns a function that makes a guarded client for each MCP server,
// once, in place of g.Server. All of them share what they learn of hosts. It is
// safe for use by many goroutines.
func (g Guard) Clients() func(server string) *http.Client {
	var mu sync.Mutex
	clients := map[string]*http.Client{}
	g.Hosts = cmp.Or(g.Hosts, &Hosts{})
	return func(server string) *http.Client {
		mu.Lock()
		defer mu.Unlock()
		if clients[server] == nil {
			g.Server = server
			clients[server] = g.Client()
		}
		return clients[server]
	}
}

// Client returns a guarded client with a separate connection pool. Make one
// and keep it.
func (g Guard) Client() *http.Client {
	hosts := cmp.Or(g.Hosts, &Hosts{})
	timeout := g.Timeout
	if timeout == 0 {
		timeout = defaultTimeout
	}
	t := &guardedTransport{hosts: hosts, server: hosts.of(g.Server), proxy: g.Proxy}
	t.dialer = net.Dialer{Timeout: connectTimeout, ControlContext: t.control}
	t.base = &http.Transport{
		Proxy:                  proxyOf,
		DialContext:            t.dial,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: g.RootCAs},
		TLSHandshakeTimeout:    connectTimeout,
		ForceAttemptHTTP2:      true,
		HTTP2:                  &http.HTTP2Config{MaxReceiveBufferPerStream: maxUnread},
		MaxResponseHeaderBytes: maxHeader,
		IdleConnTimeout:        90 * time.Second,
		OnProxyConnectResponse: proxyRefusal,
	}
	return &http.Client{Transport: t, Timeout: timeout}
}

// guardedTransport checks each request before the transport sees it, each
// address before a connection to it is made, and each answer while it is read.
type guardedTransport struct {
	base   *http.Transport
	dialer net.Dialer
	hosts  *Hosts
	server *serverHost // nil: only public addresses are allowed
	proxy  func(*http.Request) (*url.URL, error)
}

// Keys of what a request's context carries to the dialer.
type (
	proxyKey  struct{} // the request's proxy: a connection to it is not one to the target
	dialedKey struct{} // the host whose address is being dialed
)

func proxyOf(r *http.Request) (*url.URL, error) {
	u, _ := r.Context().Value(proxyKey{}).(*url.URL) // nil: direct
	return u, nil
}

// RoundTrip implements http.RoundTripper.
func (t *guardedTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	out, err := t.check(r)
	if err != nil {
		if r.Body != nil {
			r.Body.Close() // a RoundTripper must, errors included
		}
		return nil, err
	}
	resp, err := t.base.RoundTrip(out)
	if err != nil {
		return nil, err
	}
	resp.Request = r // whose context sends nothing past the check of addresses
	limitBody(resp)
	return resp, nil
}

// check returns the request as it may be sent.
func (t *guardedTransport) check(r *http.Request) (*http.Request, error) {
	r, err := redirected(r)
	if err != nil {
		return nil, err
	}
	if err := checkURL(r.URL); err != nil {
		return nil, err
	}
	if t.proxy == nil {
		return r, nil
	}
	via, err := t.proxy(r)
	if err != nil {
		return nil, &ProxyError{Err: err}
	}
	if via == nil {
		return r, nil
	}
	if ip, err := netip.ParseAddr(r.URL.Hostname()); err == nil {
		if err := t.allow(r.Context(), r.URL.Hostname(), ip); err != nil {
			return nil, err
		}
	} else {
		t.hosts.setPublic(r.URL.Hostname()) // only the proxy knows where it is
	}
	return r.WithContext(context.WithValue(r.Context(), proxyKey{}, via)), nil
}

// CloseIdleConnections lets http.Client.CloseIdleConnections reach the pool.
func (t *guardedTransport) CloseIdleConnections() { t.base.CloseIdleConnections() }

// ReportsTrace says that requests report to net/http/httptrace, as those of an
// http.Transport do.
func (t *guardedTransport) ReportsTrace() {}

func (t *guardedTransport) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if host, _, err := net.SplitHostPort(address); err == nil {
		ctx = context.WithValue(ctx, dialedKey{}, host)
	}
	return t.dialer.DialContext(ctx, network, address)
}

// control runs between name resolution and connect, so that no second answer
// of a name server can slip in between.
func (t *guardedTransport) control(ctx context.Context, _, address string, _ syscall.RawConn) error {
	if ctx.Value(proxyKey{}) != nil {
		return nil
	}
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("dial address: %w", err)
	}
	host, _ := ctx.Value(dialedKey{}).(string)
	return t.allow(ctx, host, ap.Addr())
}

// allow decides on one address of a host, and notes it.
func (t *guardedTransport) allow(ctx context.Context, host string, ip netip.Addr) error {
	switch classOf(ip) {
	case public:
		t.hosts.setPublic(host)
		return nil
	case local:
		if t.server != nil && t.server.isLocal(ctx) {
			return nil
		}
	}
	return &AddressError{Addr: ip, Moved: classOf(ip) == local && t.server.movedFrom(host)}
}

// AddressError says that a name or URL led to an address that is not public.
type AddressError struct {
	Addr netip.Addr
	// Moved: it is an address of the MCP server itself, which has a public
	// address too, or had one earlier.
	Moved bool
}

func (e *AddressError) Error() string {
	if e.Moved {
		return fmt.Sprintf("address %s of the MCP server is private, but the server also has or had a public address; if it moved into a private network, restart this program", e.Addr)
	}
	if classOf(e.Addr) == forbidden {
		return fmt.Sprintf("address %s is link-local or reserved, and never used", e.Addr)
	}
	return fmt.Sprintf("address %s is not public and the MCP server is not on a private network itself", e.Addr)
}

func hostKey(host string) string { return strings.ToLower(strings.TrimSuffix(host, ".")) }
