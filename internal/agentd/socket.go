package agentd

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"

	"github.com/mcp-login/mcp-login/internal/privsock"
)

// Socket is one way to the agent.
type Socket struct {
	// Listener is what Listen or Inherit returned. Each connection's peer is
	// asked of the kernel, whoever made the socket.
	Listener *net.UnixListener
	// Name tells the socket from others in the audit log; "" means "agent".
	Name string
	// Allow are the profiles that it hands out; nil means all that are kept.
	// A socket that is limited tells nothing of the others, nor metrics.
	Allow []string
	// Path is where its file is. Run says in the log when that has gone or is
	// another's. "" means that nobody looks.
	Path string
}

func (s Socket) name() string {
	if s.Name == "" {
		return "agent"
	}
	return s.Name
}

// Inherit returns the socket that a service manager passed as a file (systemd's
// socket activation), which it takes over.
func Inherit(f *os.File) (*net.UnixListener, error) {
	if !privsock.PeersKnown {
		return nil, privsock.ErrPeers
	}
	l, err := net.FileListener(f)
	if err != nil {
		_ = f.Close() // of no use
		return nil, fmt.Errorf("socket of the service manager: it is no socket: %w", privsock.Cause(err))
	}
	unix, ok := l.(*net.UnixListener)
	if !ok {
		return nil, errors.Join(errors.New("socket of the service manager: it is no Unix stream socket"), l.Close(), f.Close())
	}
	if err := f.Close(); err != nil {
		return nil, errors.Join(fmt.Errorf("socket of the service manager: %w", err), l.Close())
	}
	unix.SetUnlinkOnClose(false) // it is not ours
	return unix, nil
}

// guarded accepts only connections of the user that the agent runs as.
type guarded struct {
	*net.UnixListener
	log *slog.Logger
}

// conn is a connection with its peer.
type conn struct {
	*net.UnixConn
	peer privsock.Peer
}

// Accept implements net.Listener.
func (g guarded) Accept() (net.Conn, error) {
	for {
		c, err := g.AcceptUnix()
		if err != nil {
			return nil, err
		}
		peer, err := privsock.PeerOf(c)
		if err == nil && peer.UID == os.Geteuid() {
			return conn{c, peer}, nil
		}
		g.log.Warn("a connection was refused", "uid", peer.UID, "pid", peer.PID, "error", err)
		_ = c.Close() // there is nothing to say to it
	}
}
