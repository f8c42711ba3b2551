package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/mcp-login/mcp-login/internal/connlimit"
	"github.com/mcp-login/mcp-login/internal/netcheck"
	"github.com/mcp-login/mcp-login/internal/privsock"
	"github.com/mcp-login/mcp-login/internal/proxy"
)

const (
	// maxUnauthenticated limits the connections on which no client has shown the
	// token.
	maxUnauthenticated = 64
	// minLocalToken makes a token that a person chose hard to guess for the
	// other programs of this machine, which can try as often as they like.
	minLocalToken = 16
	// shutdownWait lets answers that are nearly done get through. A stream has
	// no end to wait for.
	shutdownWait = time.Second
)

// serveProxy serves HTTP until the program is told to end.
func (e *env) serveProxy(ctx context.Context, o *proxyOptions, up proxy.Upstream) error {
	ln, local, err := listenAt(o.listen)
	if err != nil {
		return err
	}
	defer ln.Close() // again, if it was served
	h := proxy.HTTP{Upstream: up}
	where := o.listen + ", whose mode lets you alone connect"
	if !local {
		if h.Token, where, err = e.localToken(ctx, o.tokenFrom, "http://"+ln.Addr().String()); err != nil {
			return err
		}
	}
	limited := &connlimit.Listener{Listener: ln, Limit: maxUnauthenticated}
	h.Admitted = limited.Authenticated
	handler, err := h.Handler()
	if err != nil {
		return err
	}
	e.say("%s at %s", up.Server, where)
	return serveUntil(ctx, limited.Server(handler, up.Log), limited)
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
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownWait)
	defer cancel()
	if web.Shutdown(ctx) != nil {
		return web.Close() // the streams that are still open
	}
	return nil
}

// localToken returns the token that clients must know, and where they find the
// proxy. A token that it made itself is shown: it is worth something on this machine
// alone, and only as long as the proxy runs.
func (e *env) localToken(ctx context.Context, source, address string) (token, where string, err error) {
	if source == "" {
		token = rand.Text()
		return token, fmt.Sprintf("%s/%s, or %s/ with the header Authorization: Bearer %s", address, token, address, token), nil
	}
	if token, err = e.secret(ctx, source, "token for clients"); err != nil {
		return "", "", err
	}
	if err := checkLocalToken(token); err != nil {
		return "", "", usagef("--listen-token-from %s: %w", source, err)
	}
	return token, address + "/, with the token of " + source + " as bearer token, or as first element of the path", nil
}

// checkLocalToken refuses a token that can be guessed, or that cannot stand in
// a path as it is (RFC 3986 §2.3).
func checkLocalToken(token string) error {
	if len(token) < minLocalToken {
		return fmt.Errorf("the token is shorter than %d characters", minLocalToken)
	}
	reserved := func(r rune) bool {
		return !(r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || strings.ContainsRune("-._~", r))
	}
	if strings.ContainsFunc(token, reserved) {
		return errors.New("the token cannot be part of a URL: give it letters, digits and - . _ ~ alone")
	}
	return nil
}

// listenAt opens what --listen names, and reports whether it is a socket that
// only this user can connect to.
func listenAt(address string) (ln net.Listener, local bool, err error) {
	if path, ok := strings.CutPrefix(address, "unix:"); ok {
		ln, err := listenUnix(path)
		return ln, true, err
	}
	ln, err = netcheck.Listen(address)
	if errors.Is(err, netcheck.ErrAddress) {
		return nil, false, usagef("--listen %q: give 127.0.0.1:PORT, [::1]:PORT or unix:PATH", address)
	}
	if err != nil {
		return nil, false, notListening(err)
	}
	return ln, false, nil
}

// listenUnix makes a socket that only this user can connect to. One that a
// killed proxy left is replaced; one that somebody serves is not.
func listenUnix(path string) (net.Listener, error) {
	ln, remove, err := privsock.Listen(path)
	if unusable, ok := errors.AsType[*privsock.PathError](err); ok {
		return nil, usagef("--listen unix:%s: %w", path, unusable)
	}
	if err != nil {
		return nil, notListening(err)
	}
	return socketFile{ln, remove}, nil
}

// socketFile is a socket that takes its file along when it is closed.
type socketFile struct {
	*net.UnixListener
	remove func()
}

// Close implements net.Listener.
func (s socketFile) Close() error {
	s.remove()
	return s.UnixListener.Close()
}

// notListening is a failure for good, though it comes from the network.
func notListening(err error) error {
	return &codeError{code: exitFailed, text: "--listen: " + err.Error()}
}
