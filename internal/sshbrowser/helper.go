package sshbrowser

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"net"
	"os"
	"sync"
	"time"

	"github.com/mcp-login/mcp-login/internal/privsock"
)

// Helper is the server on the laptop.
type Helper struct {
	// Open opens a browser on this machine. Required.
	Open func(ctx context.Context, url string) error
	// From names the remote host on the page that asks.
	From string
	// Local says that the remote host is this machine. Its loopback addresses are
	// then also this machine's, and authorization servers there are accepted.
	Local bool
	// Secret is the shared secret that the remote host must prove to know. "": it
	// connects through a socket that only this user can access.
	Secret string
	// Memory stores which authorization servers need no confirmation. Nil: the
	// page always asks.
	Memory Memory
	// Asked is called with each request, for display in the terminal; nil: no call.
	Asked func(server string, err error)
	// Lifetime limits how long a request is open. Zero: 10 minutes.
	Lifetime time.Duration

	one   sync.Mutex // held by the request that is open
	limit limit
}

// Memory stores for which authorization servers the page continues without
// asking.
type Memory interface {
	Knows(server string) bool
	Keep(server string) error
}

// Serve serves a listener until ctx ends: one of privsock, or with a Secret one
// on 127.0.0.1. It closes the listener.
func (h *Helper) Serve(ctx context.Context, l net.Listener) error {
	if _, private := l.(*net.UnixListener); !private && h.Secret == "" {
		return errors.New("other users can reach a port, so a secret is required")
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { _ = l.Close() }) // ends Accept
	defer stop()
	var serving sync.WaitGroup
	defer serving.Wait()
	defer cancel()
	free := make(chan struct{}, maxConnections)
	for {
		c, err := l.Accept()
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		select {
		case free <- struct{}{}:
		default:
			_ = c.Close() // nothing was sent
			continue
		}
		serving.Go(func() {
			defer func() { _ = c.Close(); <-free }() // everything was sent
			h.converse(ctx, c)
		})
	}
}

// ownUser rejects other users.
func ownUser(c net.Conn) bool {
	socket, ok := c.(*net.UnixConn)
	if !ok || !privsock.PeersKnown {
		return true // the secret, or the socket's folder, is private
	}
	peer, err := privsock.PeerOf(socket)
	return err == nil && peer.UID == os.Geteuid()
}

// conversation is one connection of the remote host.
type conversation struct {
	net.Conn
	in *bufio.Reader
}

// within limits the next reads by a timeout and ctx. Zero: ctx only. Errors show at
// the read.
func (c *conversation) within(ctx context.Context, d time.Duration) {
	deadline := time.Time{}
	if d > 0 {
		deadline = time.Now().Add(d)
	}
	_ = c.SetReadDeadline(deadline)
	if ctx.Err() != nil { // ctx may have ended just before
		_ = c.SetReadDeadline(time.Unix(1, 0))
	}
}

// converse sends the greeting, reads one request and handles it, until the peer
// disconnects.
func (h *Helper) converse(ctx context.Context, conn net.Conn) {
	lifetime := h.Lifetime
	if lifetime == 0 {
		lifetime = defaultLifetime
	}
	ctx, cancel := context.WithTimeout(ctx, lifetime)
	defer cancel()
	c := &conversation{conn, reader(conn)}
	stop := context.AfterFunc(ctx, func() { _ = c.SetReadDeadline(time.Unix(1, 0)) }) // ends the read
	defer stop()
	c.within(ctx, openIn)
	if !ownUser(conn) || h.greet(c) != nil {
		return
	}
	m, err := read(c.in)
	if err != nil || ctx.Err() != nil {
		return // it only checked whether the helper responds
	}
	if err := h.serve(ctx, cancel, c, m); err != nil {
		_ = write(c, message{
			Error: err.Error(), Busy: errors.Is(err, errPort), Canceled: errors.Is(err, ErrCanceled),
		}) // the peer may have disconnected
	}
}

func (h *Helper) greet(c *conversation) error {
	if h.Secret == "" {
		return write(c, message{Version: protocolVersion})
	}
	nonce := rand.Text()
	if err := write(c, message{Version: protocolVersion, Nonce: nonce}); err != nil {
		return err
	}
	return admit(c, c.in, h.Secret, nonce)
}

var (
	errBusy    = errors.New("another sign-in is open on the laptop; finish or cancel it there")
	errTooMany = errors.New("too many sign-ins; wait a minute")
	errTime    = errors.New("the sign-in was not finished")
)

// serve reserves a port, takes the URL and sends the response back.
func (h *Helper) serve(ctx context.Context, cancel func(), c *conversation, m message) error {
	if m.Reserve == nil {
		return errMessage
	}
	if !h.one.TryLock() {
		return errBusy
	}
	defer h.one.Unlock()
	if !h.limit.allow() {
		h.asked("", errTooMany)
		return errTooMany
	}
	v, err := reserve(*m.Reserve)
	if err != nil {
		h.asked("", err)
		return err
	}
	defer v.close()
	c.within(ctx, registerIn)
	if err := write(c, message{Port: v.port}); err != nil {
		return err
	}
	if m, err = read(c.in); err != nil || ctx.Err() != nil {
		return errMessage // or the peer has disconnected
	}
	c.within(ctx, 0)
	go func() {
		_, _ = c.in.ReadByte() // returns when the peer closes the connection or sends unexpected data
		cancel()
	}()
	return h.visit(ctx, c, v, m.URL)
}

// visit shows one request to the user.
func (h *Helper) visit(ctx context.Context, c *conversation, v *visit, link string) error {
	r, err := parse(link, h.Local)
	if err == nil && r.redirect.Host != v.redirectHost() {
		err = errors.New("the redirect URI does not have the reserved port")
	}
	if err != nil {
		h.asked("", err)
		return err
	}
	v.serve(r, h.From, h.Memory)
	err = h.Open(ctx, v.start())
	h.asked(r.url.Host, err)
	if err != nil {
		return errors.New("no browser could be opened there")
	}
	if err := write(c, message{Opened: true}); err != nil {
		return err
	}
	select {
	case query := <-v.query:
		return write(c, message{Query: query})
	case <-v.canceled:
		return ErrCanceled
	case <-ctx.Done():
		if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return nil // the peer disconnected, or this process stops
		}
		return errTime
	}
}

func (h *Helper) asked(server string, err error) {
	if h.Asked != nil {
		h.Asked(server, err)
	}
}
