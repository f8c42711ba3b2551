// Package connlimit limits the unauthenticated connections of an HTTP server. It
// must not know what authenticates a request: the server's handler reports that.
package connlimit

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"
)

const (
	headerTimeout = 10 * time.Second
	// idleTimeout is longer than most clients keep an idle connection, so that
	// they close it and not the server.
	idleTimeout = 2 * time.Minute
)

// Listener keeps at most Limit unauthenticated connections. A new one beyond
// that closes the oldest. A client authenticates immediately, so a program that
// opens connections to exhaust the limit closes only its own.
type Listener struct {
	net.Listener
	// Limit is the maximum number of unauthenticated connections. Required.
	Limit int

	mu              sync.Mutex // guards unauthenticated
	unauthenticated []*conn    // the oldest first
}

// conn is a connection that counts until it is authenticated or closed.
type conn struct {
	net.Conn
	listener *Listener
}

// Accept implements net.Listener.
func (l *Listener) Accept() (net.Conn, error) {
	accepted, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	c := &conn{accepted, l}
	if excess := l.add(c); excess != nil {
		_ = excess.Close() // nothing was sent
	}
	return c, nil
}

// add counts a connection and returns the one to close; nil if there is none.
func (l *Listener) add(c *conn) (excess *conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.unauthenticated = append(l.unauthenticated, c)
	if len(l.unauthenticated) <= l.Limit {
		return nil
	}
	return l.unauthenticated[0]
}

// Close implements net.Conn.
func (c *conn) Close() error {
	c.remove()
	return c.Conn.Close()
}

// remove stops counting a connection.
func (c *conn) remove() {
	c.listener.mu.Lock()
	defer c.listener.mu.Unlock()
	c.listener.unauthenticated = slices.DeleteFunc(c.listener.unauthenticated, func(one *conn) bool { return one == c })
}

// connKey is the context key of a request's connection.
type connKey struct{}

// Server returns an HTTP server for the listener. Responses have no timeout,
// because streams are long-lived.
func (l *Listener) Server(h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler: h,
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return context.WithValue(ctx, connKey{}, c)
		},
		ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}

// Authenticated stops counting the connection of a request that showed its
// credentials.
func (l *Listener) Authenticated(r *http.Request) {
	if c, ok := r.Context().Value(connKey{}).(*conn); ok {
		c.remove()
	}
}
