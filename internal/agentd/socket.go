package agentd

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"

	"github.com/mcp-login/mcp-login/internal/privsock"
)

// Socket is a socket that the agent serves.
type Socket struct {
	// Listener is what Listen or Inherit returned. The kernel reports the peer of
	// each connection, whatever made the socket.
	Listener *net.UnixListener
	// Name identifies the socket in the audit log; "" means "agent".
	Name string
	// Allow lists the profiles that it issues tokens for; nil means all. A limited
	// socket reveals nothing about other profiles, and no metrics.
	Allow []string
	// Path is its file. Run logs when the file is gone or replaced. "" means that
	// Run does not check.
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
		_ = f.Close() // the file cannot be used
		return nil, fmt.Errorf("socket of the service manager: not a socket: %w", privsock.Cause(err))
	}
	unix, ok := l.(*net.UnixListener)
	if !ok {
		return nil, errors.Join(errors.New("socket of the service manager: not a Unix stream socket"), l.Close(), f.Close())
	}
	if err := f.Close(); err != nil {
		return nil, errors.Join(fmt.Errorf("socket of the service manager: %w", err), l.Close())
	}
	unix.SetUnlinkOnClose(false) // the service manager removes it
	return unix, nil
}

// guarded accepts connections only from the user that the agent runs as.
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
		g.log.Warn("connection of another user rejected", "uid", peer.UID, "pid", peer.PID, "error", err)
		_ = c.Close() // nothing was sent
	}
}
