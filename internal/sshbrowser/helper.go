package sshbrowser

import (
	"context"
	"errors"
	"net"
	"os"
	"sync"
	"time"

	"github.com/mcp-login/mcp-login/internal/privsock"
)

// Helper is the laptop's side.
type Helper struct {
	// Open opens a browser on this machine. Required.
	Open func(ctx context.Context, url string) error
	// From names the remote host on the page that asks.
	From string
	// Asked is called with what was asked for, for the terminal; nil: nobody is told.
	Asked func(server string, err error)
	// Life bounds how long a request is open. Zero: 10 minutes.
	Life time.Duration

	one sync.Mutex // held by the request that is open
}

// Serve answers at a socket made by privsock until ctx ends. It closes the socket.
func (h *Helper) Serve(ctx context.Context, l *net.UnixListener) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { _ = l.Close() }) // ends Accept
	defer stop()
	var serving sync.WaitGroup
	defer serving.Wait()
	defer cancel()
	for {
		c, err := l.AcceptUnix()
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		serving.Go(func() {
			defer func() { _ = c.Close() }() // all was said
			h.converse(ctx, c)
		})
	}
}

// ours refuses other users.
func ours(c *net.UnixConn) bool {
	if !privsock.PeersKnown {
		return true // the socket's folder is private
	}
	peer, err := privsock.PeerOf(c)
	return err == nil && peer.UID == os.Geteuid()
}

// converse greets, takes one request and answers it. The other end's hanging up
// ends it.
func (h *Helper) converse(ctx context.Context, c *net.UnixConn) {
	life := h.Life
	if life == 0 {
		life = defaultLife
	}
	ctx, cancel := context.WithTimeout(ctx, life)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { _ = c.SetReadDeadline(time.Unix(1, 0)) }) // ends the read
	defer stop()
	if !ours(c) || write(c, message{Version: protocolVersion}) != nil {
		return
	}
	in := reader(c)
	_ = c.SetReadDeadline(time.Now().Add(openIn)) // a connection that is closed fails at the read
	m, err := read(in)
	if err != nil || ctx.Err() != nil {
		return // it only looked whether somebody answers
	}
	_ = c.SetReadDeadline(time.Time{})
	go func() {
		_, _ = in.ReadByte() // returns when the other end hangs up, or speaks out of turn
		cancel()
	}()
	if err := h.serve(ctx, c, m.URL); err != nil {
		_ = write(c, message{Error: err.Error()}) // it may have hung up
	}
}

var errBusy = errors.New("the laptop has another sign-in open; finish or cancel it there")

// serve shows one request to the person and sends the response back.
func (h *Helper) serve(ctx context.Context, c *net.UnixConn, link string) error {
	r, err := parse(link)
	if err != nil {
		h.asked("", err)
		return err
	}
	if !h.one.TryLock() {
		return errBusy
	}
	defer h.one.Unlock()
	v, err := visitFor(r, h.From)
	if err != nil {
		h.asked(r.url.Host, err)
		return err
	}
	defer v.close()
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
		return errors.New("canceled on the laptop")
	case <-ctx.Done():
		return errors.New("nobody finished signing in")
	}
}

func (h *Helper) asked(server string, err error) {
	if h.Asked != nil {
		h.Asked(server, err)
	}
}
