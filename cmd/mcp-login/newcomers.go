package main

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"sync"
)

// newcomers accepts connections, of which only so many are kept on which
// nobody has shown the token yet. Beyond that the oldest is closed: a client
// shows the token at once, and so whoever opens connections to fill the place
// shuts out nobody but itself.
type newcomers struct {
	net.Listener
	limit int

	mu  sync.Mutex  // guards all
	all []*newcomer // the oldest first
}

// newcomer is a connection.
type newcomer struct {
	net.Conn
	among *newcomers
}

// Accept implements net.Listener.
func (n *newcomers) Accept() (net.Conn, error) {
	conn, err := n.Listener.Accept()
	if err != nil {
		return nil, err
	}
	c := &newcomer{conn, n}
	if oldest := n.add(c); oldest != nil {
		_ = oldest.Close() // nothing was said to it
	}
	return c, nil
}

// add returns the newcomer that there is no place for; nil if there is.
func (n *newcomers) add(c *newcomer) *newcomer {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.all = append(n.all, c)
	if len(n.all) <= n.limit {
		return nil
	}
	return n.all[0]
}

// Close implements net.Conn.
func (c *newcomer) Close() error {
	c.leave()
	return c.Conn.Close()
}

// leave takes the connection from the newcomers.
func (c *newcomer) leave() {
	c.among.mu.Lock()
	defer c.among.mu.Unlock()
	c.among.all = slices.DeleteFunc(c.among.all, func(one *newcomer) bool { return one == c })
}

// newcomerKey carries the connection that a request came on.
type newcomerKey struct{}

// server returns the server for these connections. It limits no answer: a
// stream takes as long as it does.
func (n *newcomers) server(h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler: h, ConnContext: n.note,
		ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}

// note is an http.Server's ConnContext.
func (n *newcomers) note(ctx context.Context, conn net.Conn) context.Context {
	return context.WithValue(ctx, newcomerKey{}, conn)
}

// admitted hears of a request with the token.
func (n *newcomers) admitted(r *http.Request) {
	if c, ok := r.Context().Value(newcomerKey{}).(*newcomer); ok {
		c.leave()
	}
}
