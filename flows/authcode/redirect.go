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
	defaultHost = "127.0.0.1" // RFC 8252 §8.3 prefers the address to "localhost"
	defaultPath = "/callback"
)

// ErrRedirect: the redirect URL cannot be used, or the client was registered
// with others.
var ErrRedirect = errors.New("redirect URL cannot be used")

// Redirect says where the browser is sent back to. The zero value is
// http://127.0.0.1/callback with a random port. Servers that compare redirect
// URLs as strings need the host, port and path that were registered.
type Redirect struct {
	Host string // "127.0.0.1", "localhost" or "::1"; "": 127.0.0.1
	Port int    // 0: any free port
	Path string // "": /callback

	// URL is the whole redirect URL, sent byte for byte; the fields above are
	// then not looked at. If it is not http on loopback with a port, nobody
	// listens and the answer must be pasted. "": made of the fields above.
	URL string
}

// PortError: nobody can listen on the redirect port.
type PortError struct {
	Port int
	Err  error
}

func (e *PortError) Error() string {
	if busy(e.Err) {
		return fmt.Sprintf("redirect port %d is in use by another program", e.Port)
	}
	return fmt.Sprintf("listen on redirect port %d: %v", e.Port, e.Err)
}

func (e *PortError) Unwrap() error { return e.Err }

// target is a redirect URL and what to bind for it.
type target struct {
	uri  string // as sent; without a port until one is bound
	host string // loopback host to listen on; "": the URL leads elsewhere
	port int    // 0: any
	rest string // path and query
}

func (t target) local() bool { return t.host != "" }

// target returns where the configuration leads.
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
		t.host = "" // exactly this URL: no port may be added to it
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

// parseTarget refuses what RFC 6749 §3.1.2 and MCP refuse in a redirect URL,
// and what would confuse the reading of the answer.
func parseTarget(raw string) (target, error) {
	u, err := oauth.CheckURL(raw)
	if err != nil {
		return target{}, fmt.Errorf("%w: %w", ErrRedirect, err)
	}
	for _, name := range answerParams {
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

// listenFor binds what the registration allows. Of a URL registered before,
// the port may differ (RFC 8252 §7.3); it is tried first all the same, for
// servers that compare strings.
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
	if busy(err) && r.URL == "" {
		return bind(t.at(0))
	}
	return l, err
}

// registered returns the first registered URL that the configuration admits.
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

// RegisteredError: the client was registered with other redirect URLs. It is an
// [ErrRedirect] and a [flows.ErrClient].
type RegisteredError struct{ URIs []string }

func (e *RegisteredError) Error() string {
	return fmt.Sprintf("%v: %v: it has others (%s)", ErrRedirect, flows.ErrClient, oauth.Sanitize(strings.Join(e.URIs, ", "), 200))
}

// Unwrap gives both to errors.Is.
func (e *RegisteredError) Unwrap() []error { return []error{ErrRedirect, flows.ErrClient} }

// at returns the same target at another port.
func (t target) at(port int) target {
	if t.port == port {
		return t
	}
	t.port = port
	t.uri = "http://" + authority(t.host, port) + t.rest
	return t
}

// listen binds the target's port. A target that leads elsewhere binds nothing.
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

// bindTries is how often a random port is drawn that is free on both loopback
// addresses.
const bindTries = 8

// bind listens on one address; for "localhost" on both, since a browser may try
// either and the one that held the other would receive the code.
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
		if sockets, err = bindBoth(port); err == nil || port != 0 || !busy(err) {
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
	if busy(err) {
		return nil, errors.Join(err, v4.Close())
	}
	if err != nil {
		return []net.Listener{v4}, nil // no IPv6 on this machine
	}
	return []net.Listener{v4, v6}, nil
}

func authorityOf(host string, port int) string { return net.JoinHostPort(host, strconv.Itoa(port)) }

// wsaAddrInUse is EADDRINUSE as Windows' sockets report it.
const wsaAddrInUse = syscall.Errno(10048)

func busy(err error) bool {
	return errors.Is(err, syscall.EADDRINUSE) || errors.Is(err, wsaAddrInUse)
}
