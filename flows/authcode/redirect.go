package authcode

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"syscall"

	"github.com/mcp-login/mcp-login/flows"
	"github.com/mcp-login/mcp-login/internal/netcheck"
	"github.com/mcp-login/mcp-login/oauth"
)

const (
	defaultHost = "127.0.0.1" // RFC 8252 §8.3 recommends it over "localhost"
	defaultPath = "/callback"
)

// ErrRedirect: the redirect URL cannot be used, or is not registered for the
// client.
var ErrRedirect = errors.New("redirect URL cannot be used")

// Redirect is the redirect URL. The zero value is http://127.0.0.1/callback
// with a random port. Servers that compare redirect URLs as strings require the
// registered host, port and path.
type Redirect struct {
	Host string // "127.0.0.1", "localhost" or "::1"; "": 127.0.0.1
	Port int    // 0: any free port
	Path string // "": /callback

	// URL is the whole redirect URL, sent byte for byte; the fields above are
	// then ignored. If it is not http on loopback with a port, the flow does
	// not listen and the redirect URL must be pasted. "": made of the fields
	// above.
	URL string
}

// PortError: the flow cannot listen on the redirect port.
type PortError struct {
	Port int
	Err  error
}

func (e *PortError) Error() string {
	if isAddrInUse(e.Err) {
		return fmt.Sprintf("redirect port %d is in use by another program", e.Port)
	}
	return fmt.Sprintf("listen on redirect port %d: %v", e.Port, e.Err)
}

func (e *PortError) Unwrap() error { return e.Err }

// target is a redirect URL with the host and port to listen on.
type target struct {
	uri  string // as sent; without a port if any port may be bound
	host string // loopback host to listen on; "": not on this machine
	port int    // 0: any free port
	rest string // path and query
}

func (t target) local() bool { return t.host != "" }

// target parses the configured redirect URL.
func (r Redirect) target() (target, error) {
	raw := r.URL
	if raw == "" {
		raw = r.compose()
	}
	t, err := parseTarget(raw)
	if err != nil {
		return target{}, err
	}
	if r.URL == "" && !t.local() {
		return target{}, fmt.Errorf("%w: host must be 127.0.0.1, localhost or ::1", ErrRedirect)
	}
	if r.URL != "" && t.port == 0 {
		t.host = "" // the URL is fixed, so no port may be added
	}
	return t, nil
}

func (r Redirect) compose() string {
	host, path := r.Host, r.Path
	if host == "" {
		host = defaultHost
	}
	if path == "" {
		path = defaultPath
	}
	return "http://" + authority(host, r.Port) + path
}

func authority(host string, port int) string {
	if port != 0 {
		return net.JoinHostPort(host, strconv.Itoa(port))
	}
	if strings.Contains(host, ":") {
		return "[" + host + "]"
	}
	return host
}

// parseTarget parses a redirect URL. It rejects what RFC 6749 §3.1.2 and MCP
// forbid, and a query that conflicts with response parameters.
func parseTarget(raw string) (target, error) {
	u, err := oauth.CheckURL(raw)
	if err != nil {
		return target{}, fmt.Errorf("%w: %w", ErrRedirect, err)
	}
	for _, name := range responseParams {
		if u.Query().Has(name) {
			return target{}, fmt.Errorf("%w: its query has %q, which the server's answer will carry", ErrRedirect, name)
		}
	}
	t := target{uri: raw}
	if u.Scheme != "http" {
		return t, nil
	}
	if !netcheck.IsRedirectHost(u.Hostname()) {
		return t, fmt.Errorf("%w: host must be 127.0.0.1, localhost or ::1", ErrRedirect)
	}
	_, after, _ := strings.Cut(raw, "://")
	t.host, t.rest = u.Hostname(), strings.TrimPrefix(after, u.Host)
	if p := u.Port(); p != "" {
		if t.port, err = strconv.Atoi(p); err != nil || t.port < 1 || t.port > 65535 {
			return target{}, fmt.Errorf("%w: port must be 1 to 65535", ErrRedirect)
		}
	}
	return t, nil
}

// listenFor listens on a redirect URL that the registration allows. The port
// may differ from the registered one (RFC 8252 §7.3), but the registered port
// is tried first, for servers that compare strings.
func (r Redirect) listenFor(app oauth.App, bind func(target) (*listener, error)) (*listener, error) {
	want, err := r.target()
	if err != nil {
		return nil, err
	}
	if len(app.RedirectURIs) == 0 {
		return bind(want)
	}
	t, err := r.registered(want, app.RedirectURIs)
	if err != nil {
		return nil, err
	}
	if r.Port != 0 {
		return bind(t.at(r.Port))
	}
	l, err := bind(t)
	if isAddrInUse(err) && r.URL == "" {
		return bind(t.at(0))
	}
	return l, err
}

// registered returns the first registered URL that the configuration allows.
func (r Redirect) registered(want target, uris []string) (target, error) {
	for _, raw := range uris {
		t, err := parseTarget(raw)
		switch {
		case raw == want.uri:
			return want, nil
		case err != nil || r.URL != "" || !t.local():
			continue
		case r.Host != "" && r.Host != t.host:
			continue
		case r.Path != "" && want.rest != t.rest:
			continue
		}
		return t, nil
	}
	return target{}, &RegisteredError{URIs: uris}
}

// RegisteredError: the redirect URL is not among those registered for the
// client. It is an [ErrRedirect] and a [flows.ErrClient].
type RegisteredError struct{ URIs []string }

func (e *RegisteredError) Error() string {
	return fmt.Sprintf("%v: %v: it has others (%s)", ErrRedirect, flows.ErrClient, oauth.Sanitize(strings.Join(e.URIs, ", "), 200))
}

// Unwrap returns both, for errors.Is.
func (e *RegisteredError) Unwrap() []error { return []error{ErrRedirect, flows.ErrClient} }

// at returns the target with another port.
func (t target) at(port int) target {
	if t.port == port {
		return t
	}
	t.port = port
	t.uri = "http://" + authority(t.host, port) + t.rest
	return t
}

// listen binds the target's port. For a target on another machine it binds
// nothing.
func (t target) listen() (*listener, error) {
	if !t.local() {
		return &listener{target: t}, nil
	}
	sockets, err := bind(t.host, t.port)
	if err != nil {
		return nil, &PortError{Port: t.port, Err: err}
	}
	if t.port == 0 {
		t = t.at(sockets[0].Addr().(*net.TCPAddr).Port)
	}
	return &listener{target: t, sockets: sockets}, nil
}

// bindTries is how many random ports are tried to find one that is free on both
// loopback addresses.
const bindTries = 8

// bind listens on one address; for "localhost" on both, because a browser may
// use either, and a program that listens on the other would receive the code.
func bind(host string, port int) ([]net.Listener, error) {
	if host != "localhost" {
		l, err := net.Listen("tcp", authorityOf(host, port))
		if err != nil {
			return nil, err
		}
		return []net.Listener{l}, nil
	}
	var err error
	for range bindTries {
		var sockets []net.Listener
		if sockets, err = bindBoth(port); err == nil || port != 0 || !isAddrInUse(err) {
			return sockets, err
		}
	}
	return nil, err
}

func bindBoth(port int) ([]net.Listener, error) {
	v4, err := net.Listen("tcp4", authorityOf("127.0.0.1", port))
	if err != nil {
		return nil, err
	}
	v6, err := net.Listen("tcp6", authorityOf("::1", v4.Addr().(*net.TCPAddr).Port))
	if isAddrInUse(err) {
		return nil, errors.Join(err, v4.Close())
	}
	if err != nil {
		return []net.Listener{v4}, nil // this machine has no IPv6
	}
	return []net.Listener{v4, v6}, nil
}

func authorityOf(host string, port int) string { return net.JoinHostPort(host, strconv.Itoa(port)) }

// wsaAddrInUse is WSAEADDRINUSE, the EADDRINUSE of Windows sockets.
const wsaAddrInUse = syscall.Errno(10048)

func isAddrInUse(err error) bool {
	return errors.Is(err, syscall.EADDRINUSE) || errors.Is(err, wsaAddrInUse)
}
