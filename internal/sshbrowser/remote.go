package sshbrowser

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/mcp-login/mcp-login/internal/privsock"
	"github.com/mcp-login/mcp-login/oauth"
)

// remote is a connection from the remote host to the laptop.
type remote struct {
	net.Conn
	in *bufio.Reader
}

// dial connects to an endpoint, rejects one of another user, and reads the greeting.
func dial(ctx context.Context, path string) (*remote, error) {
	conn, secret, err := connect(ctx, path)
	if err != nil {
		return nil, privsock.Cause(err)
	}
	c := &remote{conn, reader(conn)}
	if err := c.greeted(ctx, secret); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return c, nil
}

func (c *remote) greeted(ctx context.Context, secret string) error {
	if socket, ok := c.Conn.(*net.UnixConn); ok && privsock.PeersKnown {
		peer, err := privsock.PeerOf(socket)
		if err != nil {
			return err
		}
		if peer.UID != os.Geteuid() && peer.UID != 0 {
			return fmt.Errorf("the socket belongs to user %d", peer.UID)
		}
	}
	if deadline, ok := ctx.Deadline(); ok {
		if err := c.SetDeadline(deadline); err != nil {
			return err
		}
	}
	m, err := read(c.in)
	if err != nil {
		return err
	}
	if m.Version != protocolVersion {
		return errMessage
	}
	if secret != "" {
		if err := introduce(c, c.in, secret, m.Nonce); err != nil {
			return err
		}
	}
	return c.SetDeadline(time.Time{})
}

// Browser is the laptop's browser, seen from the remote host.
type Browser struct {
	// Find returns the path of an endpoint that answers, as the function Find does;
	// "": none.
	Find func() string

	mu   sync.Mutex
	conn *remote // that holds the reservation, or the request that is open
}

var errGone = errors.New("your laptop no longer answers")

// Reserve makes the laptop bind a loopback port. If it is in use there, the
// error wraps [syscall.EADDRINUSE].
func (b *Browser) Reserve(ctx context.Context, host string, number int) (int, error) {
	_ = b.Close() // of an earlier request
	path := b.Find()
	if path == "" {
		return 0, errGone
	}
	greet, stop := context.WithTimeout(ctx, answerIn)
	defer stop()
	c, err := dial(greet, path)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", errGone, err)
	}
	m, err := c.ask(ctx, message{Reserve: &place{host, number}})
	if err == nil && m.Port == 0 {
		err = errMessage
	}
	if err != nil {
		_ = c.Close() // nothing is expected from it
		if m.Busy {
			err = syscall.EADDRINUSE
		}
		return 0, fmt.Errorf("your laptop reserved no port: %w", err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.conn = c
	return m.Port, nil
}

// Open makes the laptop open an authorization URL with the reserved redirect URI.
// It returns when the laptop's browser was started.
func (b *Browser) Open(ctx context.Context, url string) error {
	c := b.current()
	if c == nil {
		return errors.New("no port was reserved on your laptop")
	}
	m, err := c.ask(ctx, message{URL: url})
	if err == nil && !m.Opened {
		err = errMessage
	}
	if err != nil {
		_ = b.Close() // nothing is expected from it
		return fmt.Errorf("your laptop did not open a browser: %w", err)
	}
	return nil
}

// Answer waits for the query of the response to the URL that Open sent. If the
// user canceled, the error wraps [ErrCanceled].
func (b *Browser) Answer(ctx context.Context) (string, error) {
	c := b.current()
	if c == nil {
		return "", errors.New("nothing was opened on your laptop")
	}
	stop := context.AfterFunc(ctx, c.interrupt)
	defer stop()
	m, err := c.answer()
	_ = b.Close() // all was said
	return m.Query, err
}

// Close ends an open request. The laptop then stops listening.
func (b *Browser) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := b.conn
	b.conn = nil
	if c == nil {
		return nil
	}
	return c.Close()
}

func (b *Browser) current() *remote {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.conn
}

// ask sends a message and waits for the response.
func (c *remote) ask(ctx context.Context, m message) (message, error) {
	ctx, cancel := context.WithTimeout(ctx, openIn)
	defer cancel()
	stop := context.AfterFunc(ctx, c.interrupt)
	defer stop()
	if err := write(c, m); err != nil {
		return message{}, lost(err)
	}
	return c.answer()
}

// interrupt ends a read.
func (c *remote) interrupt() { _ = c.SetDeadline(time.Unix(1, 0)) } // best effort

func (c *remote) answer() (message, error) {
	m, err := read(c.in)
	switch {
	case errors.Is(err, errMessage):
		return m, err
	case err != nil:
		return m, lost(err)
	case m.Canceled:
		return m, ErrCanceled
	case m.Error != "":
		return m, errors.New(oauth.Sanitize(m.Error, 300))
	}
	return m, nil
}

// lost returns a user-friendly error for a lost connection.
func lost(err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return errors.New("it did not answer in time")
	}
	return errors.New("the SSH connection to your laptop has ended")
}
