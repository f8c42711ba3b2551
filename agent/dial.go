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

// dial connects to the agent if it is trusted: if it runs as this user, or as
// root, as sshd and service managers can. Any other user who made the socket
// would see the requests, and could answer with another token. Systems whose
// kernel does not report peers have no such check.
func (c *Client) dial(ctx context.Context) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "unix", c.Socket)
	if err != nil {
		what := "no agent is listening at "
		if !absent(err) {
			what = "cannot connect to the agent at "
		}
		return nil, &dialError{what + c.Socket, err, secrets.ErrUnavailable, absent(err)}
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

// lost returns the error for a request that got no answer.
func (c *Client) lost(ctx context.Context, err error) error {
	if known, ok := errors.AsType[*dialError](err); ok {
		return known
	}
	if hungUp(err) {
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

// hungUp reports whether the other end closed the connection. If it did so before
// the request, net/http returns an error without a name.
func hungUp(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) ||
		strings.HasSuffix(err.Error(), "server closed idle connection")
}

// dialError is a failure of the socket. It matches kind, and not the network
// error that it wraps.
type dialError struct {
	what string
	err  error
	kind error // secrets.ErrUnavailable, or secrets.ErrTemporary if it helps to try again
	none bool  // nobody listens there
}

func (e *dialError) Error() string { return e.what + ": " + privsock.Cause(e.err).Error() }

// Is implements errors.Is.
func (e *dialError) Is(target error) bool {
	return target == e.kind || e.none && target == ErrNotRunning
}

// absent reports whether nobody listens at a socket, or it does not exist.
func absent(err error) bool {
	return errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, fs.ErrNotExist)
}
