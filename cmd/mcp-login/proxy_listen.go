package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"

	"github.com/mcp-login/mcp-login/internal/privsock"
	"github.com/mcp-login/mcp-login/internal/proxy"
)

// serveProxy serves HTTP until the program is told to end.
func (e *env) serveProxy(ctx context.Context, o *proxyOptions, up proxy.Upstream) error {
	ln, local, err := listenAt(o.listen)
	if err != nil {
		return err
	}
	defer ln.Close() // again, if it was served
	h := proxy.HTTP{Upstream: up}
	where := o.listen + ", which only you can connect to"
	if !local {
		if h.Token, where, err = e.localToken(ctx, o.tokenFrom, "http://"+ln.Addr().String()); err != nil {
			return err
		}
	}
	e.say("%s at %s", up.Server, where)
	return h.Serve(ctx, ln)
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
	if err := proxy.CheckToken(token); err != nil {
		return "", "", usagef("--listen-token-from %s: %w", source, err)
	}
	return token, address + "/, with the token of " + source + " as bearer token, or as first element of the path", nil
}

// listenAt opens what --listen names.
func listenAt(address string) (ln net.Listener, local bool, err error) {
	ln, local, err = proxy.Listen(address)
	if errors.Is(err, proxy.ErrListen) {
		return nil, false, usagef("--listen %q: %w", address, err)
	}
	if unusable, ok := errors.AsType[*privsock.PathError](err); ok {
		return nil, false, usagef("--listen %s: %w", address, unusable)
	}
	if err != nil { // a failure for good, though it comes from the network
		return nil, false, &codeError{code: exitFailed, text: "--listen: " + err.Error()}
	}
	return ln, local, nil
}
