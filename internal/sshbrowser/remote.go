package sshbrowser

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/mcp-login/mcp-login/internal/privsock"
	"github.com/mcp-login/mcp-login/oauth"
)

// maxSockets is how many sockets of a folder are tried.
const maxSockets = 8

// Find returns the path of a socket at which a laptop answers: named, or else the
// newest of a folder's. It returns "" if none answers within a second.
func Find(ctx context.Context, named, folder string) string {
	paths := []string{named}
	if named == "" {
		paths = sockets(folder)
	}
	ctx, cancel := context.WithTimeout(ctx, answerIn)
	defer cancel()
	answers := make([]bool, len(paths))
	var asking sync.WaitGroup
	for i, path := range paths {
		asking.Go(func() {
			if c, err := dial(ctx, path); err == nil {
				answers[i] = true
				_ = c.Close() // nothing was asked
			}
		})
	}
	asking.Wait()
	if i := slices.Index(answers, true); i >= 0 {
		return paths[i]
	}
	return ""
}

// sockets returns the sockets of a folder, newest first.
func sockets(folder string) []string {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil // nobody has made it
	}
	made := map[string]time.Time{}
	var paths []string
	for _, e := range entries {
		info, err := e.Info()
		if err == nil && info.Mode().Type() == os.ModeSocket {
			path := filepath.Join(folder, e.Name())
			paths, made[path] = append(paths, path), info.ModTime()
		}
	}
	slices.SortFunc(paths, func(a, b string) int { return made[b].Compare(made[a]) })
	return paths[:min(len(paths), maxSockets)]
}

// Prune removes the sockets of a folder at which nobody listens. Sshd cannot
// replace them.
func Prune(folder string) {
	for _, path := range sockets(folder) {
		c, err := net.Dial("unix", path)
		if err == nil {
			_ = c.Close() // nothing was said
			continue
		}
		if !errors.Is(err, os.ErrPermission) {
			_ = os.Remove(path) // the next look skips it
		}
	}
}

// remote is a connection from the remote host to the laptop.
type remote struct {
	net.Conn
	in *bufio.Reader
}

// dial connects to a socket, refuses one of another user, and reads the greeting.
func dial(ctx context.Context, path string) (*remote, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "unix", path)
	if err != nil {
		return nil, privsock.Cause(err)
	}
	c := &remote{conn, reader(conn)}
	if err := c.greeted(ctx); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return c, nil
}

func (c *remote) greeted(ctx context.Context) error {
	if privsock.PeersKnown {
		peer, err := privsock.PeerOf(c.Conn.(*net.UnixConn))
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
	return c.SetDeadline(time.Time{})
}

// Browser is the laptop's browser, seen from the remote host.
type Browser struct {
	// Socket is the path that Find returned.
	Socket string

	mu   sync.Mutex
	conn *remote // of the request that is open
}

// Open asks the laptop to open an authorization URL and to listen at its redirect
// URI. It returns when the laptop's browser was started, or why it was not.
func (b *Browser) Open(ctx context.Context, url string) error {
	if err := b.Close(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, openIn)
	defer cancel()
	greet, stop := context.WithTimeout(ctx, answerIn)
	defer stop()
	c, err := dial(greet, b.Socket)
	if err != nil {
		return fmt.Errorf("your laptop no longer answers: %w", err)
	}
	if err := c.open(ctx, url); err != nil {
		_ = c.Close() // nothing is expected from it
		return fmt.Errorf("your laptop did not open a browser: %w", err)
	}
	b.mu.Lock()
	b.conn = c
	b.mu.Unlock()
	return nil
}

func (c *remote) open(ctx context.Context, url string) error {
	stop := context.AfterFunc(ctx, func() { _ = c.SetDeadline(time.Unix(1, 0)) }) // ends the read
	defer stop()
	if err := write(c, message{URL: url}); err != nil {
		return err
	}
	m, err := c.answer()
	if err == nil && !m.Opened {
		return errMessage
	}
	return err
}

func (c *remote) answer() (message, error) {
	m, err := read(c.in)
	if err == nil && m.Error != "" {
		err = errors.New(oauth.Sanitize(m.Error, 300))
	}
	return m, err
}

// Answer waits for the query of the response to the URL that Open sent.
func (b *Browser) Answer(ctx context.Context) (string, error) {
	b.mu.Lock()
	c := b.conn
	b.mu.Unlock()
	if c == nil {
		return "", errors.New("nothing was opened")
	}
	stop := context.AfterFunc(ctx, func() { _ = c.SetDeadline(time.Unix(1, 0)) }) // ends the read
	defer stop()
	m, err := c.answer()
	return m.Query, errors.Join(err, b.Close())
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
