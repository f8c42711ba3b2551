package agent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"strings"
	"syscall"

	"github.com/mcp-login/mcp-login/internal/privsock"
	"github.com/mcp-login/mcp-login/secrets"
)

// dial connects to the agent and checks that it runs as this user, or as root,
// as sshd and service managers do. Another user's process could read the
// requests and respond with another token. On systems whose kernel does not
// report the peer, nothing is checked.
func (c *Client) dial(ctx context.Context) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "unix", c.Socket)
	if err != nil {
		what := "cannot reach the agent at "
		if notListening(err) {
			what = "no agent is running at "
		}
		return nil, &dialError{what + c.Socket, err, secrets.ErrUnavailable, notListening(err)}
	}
	if !privsock.PeersKnown {
		return conn, nil
	}
	peer, err := privsock.PeerOf(conn.(*net.UnixConn))
	if err == nil && peer.UID != os.Geteuid() && peer.UID != 0 {
		err = fmt.Errorf("it belongs to user %d, but you are user %d", peer.UID, os.Geteuid())
	}
	if err != nil {
		_ = conn.Close() // nothing was sent
		return nil, &dialError{"the socket " + c.Socket + " is not trusted", err, secrets.ErrUnavailable, false}
	}
	return conn, nil
}

// connectionError returns the error of a request without a response.
func (c *Client) connectionError(ctx context.Context, err error) error {
	if known, ok := errors.AsType[*dialError](err); ok {
		return known
	}
	if isClosed(err) {
		err = errors.New("the agent has stopped, or serves only another user")
	}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		err = errors.New("timed out")
	}
	if errors.Is(ctx.Err(), context.Canceled) {
		return ctx.Err()
	}
	return &dialError{"no answer from the agent at " + c.Socket, privsock.Cause(err), secrets.ErrTemporary, false}
}

// isClosed reports whether the peer closed the connection. If it did so before the
// request, net/http returns an unexported error.
func isClosed(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) ||
		strings.HasSuffix(err.Error(), "server closed idle connection")
}

// dialError is an error of the socket. It matches kind, not the network error
// err.
type dialError struct {
	what string
	err  error
	kind error // secrets.ErrUnavailable, or secrets.ErrTemporary if a retry may help
	none bool  // no process listens on the socket
}

func (e *dialError) Error() string {
	if e.none {
		return e.what
	}
	return e.what + ": " + privsock.Cause(e.err).Error()
}

// Is implements errors.Is.
func (e *dialError) Is(target error) bool {
	return target == e.kind || e.none && target == ErrNotRunning
}

// notListening reports whether the socket does not exist or no process listens
// on it.
func notListening(err error) bool {
	return errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, fs.ErrNotExist)
}
