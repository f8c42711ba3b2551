package proxy

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/mcp-login/mcp-login/internal/ascii"
	"github.com/mcp-login/mcp-login/internal/connlimit"
	"github.com/mcp-login/mcp-login/internal/netcheck"
	"github.com/mcp-login/mcp-login/internal/privsock"
)

const (
	// maxUnauthenticated limits the connections on which no client has shown the
	// token.
	maxUnauthenticated = 64
	// minLocalToken is the minimum length of a token that the user chose. Other programs of
	// this machine can try as often as they like.
	minLocalToken = 16
	// shutdownTimeout is how long responses may take to complete at shutdown. A stream is
	// closed after that.
	shutdownTimeout = time.Second
)

// ErrListen means that the proxy does not serve at an address.
var ErrListen = errors.New("use 127.0.0.1:PORT, [::1]:PORT or unix:PATH")

// Serve serves HTTP at ln until ctx ends.
func (h HTTP) Serve(ctx context.Context, ln net.Listener) error {
	limited := &connlimit.Listener{Listener: ln, Limit: maxUnauthenticated}
	h.Authenticated, h.lifetime = limited.Authenticated, ctx
	handler, err := h.Handler()
	if err != nil {
		return err
	}
	return serveUntil(ctx, limited.Server(handler, h.Upstream.Log), limited)
}

// serveUntil serves until ctx ends.
func serveUntil(ctx context.Context, web *http.Server, ln net.Listener) error {
	broken := make(chan error, 1)
	go func() { broken <- web.Serve(ln) }()
	select {
	case err := <-broken:
		return fmt.Errorf("serve %s: %w", ln.Addr(), err)
	case <-ctx.Done():
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	if web.Shutdown(ctx) != nil {
		return web.Close() // closes the streams that are still open
	}
	return nil
}

// CheckToken rejects a token that can be guessed, or that cannot be part of a path
// unescaped (RFC 3986 §2.3).
func CheckToken(token string) error {
	if len(token) < minLocalToken {
		return fmt.Errorf("the token is shorter than %d characters", minLocalToken)
	}
	if !ascii.Only(token, ascii.Unreserved) {
		return errors.New("the token cannot be part of a URL: use only letters, digits and - . _ ~")
	}
	return nil
}

// Listen opens 127.0.0.1:PORT, [::1]:PORT or unix:PATH, and reports whether it is a
// socket that only this user can connect to. It returns ErrListen for any other
// address, and a *privsock.PathError for a path that cannot be a socket.
func Listen(address string) (ln net.Listener, local bool, err error) {
	if path, ok := strings.CutPrefix(address, "unix:"); ok {
		ln, err := listenUnix(path)
		return ln, true, err
	}
	ln, err = netcheck.Listen(address)
	if errors.Is(err, netcheck.ErrAddress) {
		return nil, false, ErrListen
	}
	if err != nil {
		return nil, false, err
	}
	return ln, false, nil
}

// listenUnix makes a socket that only this user can connect to. It replaces one that a
// killed proxy left, but not one that is served.
func listenUnix(path string) (net.Listener, error) {
	ln, remove, err := privsock.Listen(path)
	if err != nil {
		return nil, err
	}
	return socketFile{ln, remove}, nil
}

// socketFile is a socket that removes its file when it is closed.
type socketFile struct {
	*net.UnixListener
	remove func()
}

// Close implements net.Listener.
func (s socketFile) Close() error {
	s.remove()
	return s.UnixListener.Close()
}
