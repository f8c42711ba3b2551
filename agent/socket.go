package agent

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
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

// Peer is who connected to a Unix socket, as the kernel tells.
type Peer struct {
	PID int    `json:"pid,omitempty"` // 0: not known here
	UID int    `json:"uid"`
	Exe string `json:"exe,omitempty"` // the program's file, as far as it can be seen; "": it cannot
}

// ErrPeers: this system tells no peer of a Unix socket, so there is no agent.
var ErrPeers = errors.New("this system does not tell who connects to a Unix socket")

// Inherit returns the socket that a service manager passed as a file (systemd's
// socket activation), which it takes over.
func Inherit(f *os.File) (*net.UnixListener, error) {
	if !peersKnown {
		return nil, ErrPeers
	}
	l, err := net.FileListener(f)
	if err != nil {
		_ = f.Close() // of no use
		return nil, fmt.Errorf("socket of the service manager: it is no socket: %w", cause(err))
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
	peer Peer
}

// Accept implements net.Listener.
func (g guarded) Accept() (net.Conn, error) {
	for {
		c, err := g.AcceptUnix()
		if err != nil {
			return nil, err
		}
		peer, err := peerOf(c)
		if err == nil && peer.UID == os.Geteuid() {
			return conn{c, peer}, nil
		}
		g.log.Warn("a connection was refused", "uid", peer.UID, "pid", peer.PID, "error", err)
		_ = c.Close() // there is nothing to say to it
	}
}

// peerOf asks the kernel who is at the other end.
func peerOf(c *net.UnixConn) (peer Peer, err error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return peer, err
	}
	if cerr := raw.Control(func(fd uintptr) { peer, err = peerCred(int(fd)) }); cerr != nil {
		return peer, cerr
	}
	return peer, err
}
