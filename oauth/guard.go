package oauth

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"sync"
	"syscall"
	"time"
)

// Limits of a guarded client.
const (
	defaultTimeout = 30 * time.Second
	connectTimeout = 10 * time.Second
	maxRedirects   = 3
	maxHeader      = 64 << 10
)

const userAgent = "mcp-login"

// Guard makes the http.Client that trusts nobody. Its zero value works.
//
// The client speaks https only (http to loopback alone), follows at most three
// redirects, none of them of a POST and none to another scheme, and refuses at
// dial time, after name resolution, every address that is not public. A
// resource_metadata URL or an endpoint is chosen by a stranger: without that
// check it could point into the network that this machine stands in.
type Guard struct {
	// Server is the MCP server's URL. If all addresses of its own host are
	// private or loopback, private and loopback addresses are allowed for every
	// request. Link-local addresses, where clouds serve instance credentials,
	// never are. "" means that only public addresses are.
	Server string
	// RootCAs are the certificates to trust; nil means the system's.
	RootCAs *x509.CertPool
	// Proxy chooses the proxy of a request, as in http.Transport; nil means
	// none. The address of a proxy may be private. Names are then resolved by
	// the proxy, so that only literal addresses can be refused.
	Proxy func(*http.Request) (*url.URL, error)
	// Timeout limits a whole request, body included; 0 means 30 s.
	Timeout time.Duration
}

// Clients returns a function that makes a guarded client for each MCP server,
// once, in place of g.Server. It is safe for use by many goroutines.
func (g Guard) Clients() func(server string) *http.Client {
	var mu sync.Mutex
	clients := map[string]*http.Client{}
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

// Client returns a guarded client with a connection pool of its own. Make one
// and keep it.
func (g Guard) Client() *http.Client {
	timeout := g.Timeout
	if timeout == 0 {
		timeout = defaultTimeout
	}
	d := &doorkeeper{server: g.Server, proxy: g.Proxy}
	dialer := &net.Dialer{Timeout: connectTimeout, ControlContext: d.control}
	d.base = &http.Transport{
		Proxy:                  proxyOf,
		DialContext:            dialer.DialContext,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: g.RootCAs},
		TLSHandshakeTimeout:    connectTimeout,
		ForceAttemptHTTP2:      true,
		MaxResponseHeaderBytes: maxHeader,
		IdleConnTimeout:        90 * time.Second,
	}
	return &http.Client{Transport: d, CheckRedirect: checkRedirect, Timeout: timeout}
}

// doorkeeper checks each request before the transport sees it and each
// address before a connection to it is made.
type doorkeeper struct {
	base   *http.Transport
	server string
	proxy  func(*http.Request) (*url.URL, error)

	mu      sync.Mutex
	decided bool
	private bool // the MCP server's own host is private
}

// proxyKey carries a request's proxy to the dialer, which must tell a
// connection to the proxy from one to a target.
type proxyKey struct{}

func proxyOf(r *http.Request) (*url.URL, error) {
	u, _ := r.Context().Value(proxyKey{}).(*url.URL) // nil: direct
	return u, nil
}

// RoundTrip implements http.RoundTripper.
func (d *doorkeeper) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := checkURL(r.URL); err != nil {
		return nil, err
	}
	if d.proxy == nil {
		return d.base.RoundTrip(r)
	}
	via, err := d.proxy(r)
	if err != nil {
		return nil, fmt.Errorf("choose proxy: %w", err)
	}
	if via == nil {
		return d.base.RoundTrip(r)
	}
	if ip, err := netip.ParseAddr(r.URL.Hostname()); err == nil {
		if err := d.admit(r.Context(), ip); err != nil {
			return nil, err
		}
	}
	return d.base.RoundTrip(r.WithContext(context.WithValue(r.Context(), proxyKey{}, via)))
}

// CloseIdleConnections lets http.Client.CloseIdleConnections reach the pool.
func (d *doorkeeper) CloseIdleConnections() { d.base.CloseIdleConnections() }

// control runs between name resolution and connect, so that no second answer
// of a name server can slip in between.
func (d *doorkeeper) control(ctx context.Context, _, address string, _ syscall.RawConn) error {
	if ctx.Value(proxyKey{}) != nil {
		return nil
	}
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("dial address: %w", err)
	}
	return d.admit(ctx, ap.Addr())
}

func (d *doorkeeper) admit(ctx context.Context, ip netip.Addr) error {
	switch reachOf(ip) {
	case public:
		return nil
	case local:
		if d.serverIsLocal(ctx) {
			return nil
		}
	}
	return &AddressError{Addr: ip}
}

// serverIsLocal reports whether every address of the MCP server's host is
// local. One public address among them means no: it must not open the network
// to a server that lists a private address beside its own.
func (d *doorkeeper) serverIsLocal(ctx context.Context) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.decided {
		return d.private
	}
	ips, err := d.serverAddrs(ctx)
	if err != nil {
		return false // fails closed, and is asked again next time
	}
	d.decided, d.private = true, len(ips) > 0
	for _, ip := range ips {
		d.private = d.private && reachOf(ip) == local
	}
	return d.private
}

func (d *doorkeeper) serverAddrs(ctx context.Context) ([]netip.Addr, error) {
	if d.server == "" {
		return nil, nil
	}
	u, err := url.Parse(d.server)
	if err != nil {
		return nil, errors.New("server URL cannot be read")
	}
	if ip, err := netip.ParseAddr(u.Hostname()); err == nil {
		return []netip.Addr{ip}, nil
	}
	return net.DefaultResolver.LookupNetIP(ctx, "ip", u.Hostname())
}

// checkRedirect holds for every request of this package, whoever made the
// client.
func checkRedirect(r *http.Request, via []*http.Request) error {
	first, last := via[0], via[len(via)-1]
	refuse := func(why string) error {
		return &RedirectError{From: shown(last.URL), To: shown(r.URL), Reason: why}
	}
	if first.Method != http.MethodGet && first.Method != http.MethodHead {
		return refuse("a " + first.Method + " is never redirected")
	}
	if len(via) > maxRedirects {
		return refuse(fmt.Sprintf("more than %d redirects", maxRedirects))
	}
	if r.URL.Scheme != last.URL.Scheme {
		return refuse("the scheme changes")
	}
	if err := checkURL(r.URL); err != nil {
		return err
	}
	if r.URL.Host != first.URL.Host {
		keepOnly(r.Header, "Accept", "User-Agent")
	}
	return nil
}

func keepOnly(h http.Header, names ...string) {
	kept := make(http.Header, len(names))
	for _, n := range names {
		if v := h.Values(n); v != nil {
			kept[n] = v
		}
	}
	clear(h)
	for n, v := range kept {
		h[n] = v
	}
}

// AddressError says that a name or URL led to an address that is not public.
type AddressError struct{ Addr netip.Addr }

func (e *AddressError) Error() string {
	return fmt.Sprintf("address %s is not public and the MCP server is not on a private network itself", e.Addr)
}

// RedirectError says which redirect was not followed.
type RedirectError struct {
	From, To string // without query
	Reason   string
}

func (e *RedirectError) Error() string {
	return fmt.Sprintf("%s redirects to %s: not followed, %s", e.From, e.To, e.Reason)
}
