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
	// maxUnread limits the unread bytes of one HTTP/2 response in memory. The
	// default of net/http is 4 MiB for each response.
	maxUnread = 1 << 20
)

const userAgent = "mcp-login"

// Guard makes an http.Client for URLs that untrusted servers choose. Its zero
// value works.
//
// The client's Transport enforces these rules, so they also hold for another
// http.Client with the same Transport:
//
//   - https only (http to loopback alone).
//   - At most three redirects, none of them of a POST and none to another
//     scheme. A redirect to another host carries no headers that identify the client.
//   - Every address that is not public is refused at dial time, after name
//     resolution. An untrusted server chooses URLs such as resource_metadata
//     and endpoints: without this check they could lead into the private
//     network of this machine.
//   - At most 1 MiB of a response is read, counted after decompression, unless
//     the request asks for more: see [WithMessageLimit].
type Guard struct {
	// Server is the MCP server's URL. If its host is in a private network or on
	// loopback, private and loopback addresses are allowed for every request.
	// Link-local addresses, where clouds serve instance credentials, are never
	// allowed. "" means that only public addresses are allowed.
	//
	// The host counts as private while all addresses of its name are private.
	// Once its name has a public address, or it was reached through a proxy, it
	// counts as public for the lifetime of Hosts, so that DNS rebinding cannot
	// open the private network.
	Server string
	// RootCAs are the root certificates to trust; nil means those of the
	// system.
	RootCAs *x509.CertPool
	// Proxy chooses the proxy of a request, as in http.Transport; nil means
	// none. The address of a proxy may be private. Names are then resolved by
	// the proxy, so that only literal addresses can be refused.
	Proxy func(*http.Request) (*url.URL, error)
	// Timeout limits a whole request, including the body; 0 means 30 s. The
	// client enforces it, not its Transport.
	Timeout time.Duration
	// Hosts remembers which MCP servers' hosts are public. Share one among all
	// guards of a process; nil means a new one for each call of Client or
	// Clients.
	Hosts *Hosts
}

// Clients returns a function that returns the guarded client of an MCP server,
// the same one for the same server. g.Server is ignored. All clients share one
// Hosts. The function is safe for concurrent use.
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

// Client returns a guarded client with its own connection pool. Reuse it.
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

// guardedTransport checks each request before it is sent, each address before
// it is dialed, and the length of each response while it is read.
type guardedTransport struct {
	base   *http.Transport
	dialer net.Dialer
	hosts  *Hosts
	server *serverHost // nil: only public addresses are allowed
	proxy  func(*http.Request) (*url.URL, error)
}

// Context keys that pass values from a request to the dialer.
type (
	proxyKey  struct{} // the request's proxy, whose address is not checked
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
			r.Body.Close() // a RoundTripper must close it, even on errors
		}
		return nil, err
	}
	resp, err := t.base.RoundTrip(out)
	if err != nil {
		return nil, err
	}
	resp.Request = r // without proxyKey in its context
	limitBody(resp)
	return resp, nil
}

// check returns the request to send, or an error if it is not allowed.
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
		t.hosts.setPublic(r.URL.Hostname()) // the proxy resolves the name, so its address is unknown
	}
	return r.WithContext(context.WithValue(r.Context(), proxyKey{}, via)), nil
}

// CloseIdleConnections implements http.Client.CloseIdleConnections.
func (t *guardedTransport) CloseIdleConnections() { t.base.CloseIdleConnections() }

// ReportsTrace marks that requests support net/http/httptrace.
func (t *guardedTransport) ReportsTrace() {}

func (t *guardedTransport) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if host, _, err := net.SplitHostPort(address); err == nil {
		ctx = context.WithValue(ctx, dialedKey{}, host)
	}
	return t.dialer.DialContext(ctx, network, address)
}

// control runs between name resolution and connect, so that it checks the very
// address that is dialed.
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

// allow returns an error if the address may not be dialed. It records in Hosts
// that a host is public.
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

// AddressError means that a name or URL leads to an address that is not public.
type AddressError struct {
	Addr netip.Addr
	// Moved means that the address belongs to the MCP server itself, which also
	// has, or had, a public address.
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
