package agent

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
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

// Listen makes a socket of mode 0600, in a folder that is made with mode 0700
// if it is missing. A socket that a dead agent left is replaced; where somebody
// still listens, or something else than a socket is, it fails. Remove takes the
// socket away, unless another agent has replaced it.
func Listen(path string) (l *net.UnixListener, remove func(), err error) {
	if !peersKnown {
		return nil, nil, ErrPeers
	}
	if err := vacant(path); err != nil {
		return nil, nil, err
	}
	if l, err = bind(path); err != nil {
		return nil, nil, fmt.Errorf("listen at %s: %w", path, err)
	}
	made, err := os.Lstat(path)
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("listen at %s: %w", path, err), l.Close())
	}
	return l, func() {
		if now, err := os.Lstat(path); err == nil && os.SameFile(made, now) {
			_ = os.Remove(path) // the next agent replaces what is left
		}
	}, nil
}

// maxPath is what every system takes as the path of a socket (sun_path).
const maxPath = 103

// bind binds the socket where nobody else gets to and moves it into place when
// its mode is right: there is no instant at which it is open to others.
func bind(path string) (*net.UnixListener, error) {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	private, err := os.MkdirTemp(dir, ".")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.Remove(private) }() // empty
	made := filepath.Join(private, "s")
	if len(made) > maxPath {
		return nil, errors.New("the path is too long for a socket")
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: made, Net: "unix"})
	if err != nil {
		return nil, err
	}
	l.SetUnlinkOnClose(false)
	err = os.Chmod(made, 0o600)
	if err == nil {
		err = os.Rename(made, path)
	}
	if err != nil {
		_ = os.Remove(made) // it is of no use
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

// vacant returns nil if a socket may be made at path.
func vacant(path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("listen at %s: %w", path, err)
	case info.Mode().Type() != fs.ModeSocket:
		return fmt.Errorf("listen at %s: something that is no socket is there", path)
	}
	c, err := net.Dial("unix", path)
	if err != nil {
		return nil // nobody listens
	}
	_ = c.Close() // nothing was said
	return fmt.Errorf("listen at %s: an agent is there already", path)
}

// Inherit returns the socket that a service manager passed as a file (systemd's
// socket activation), which it takes over.
func Inherit(f *os.File) (*net.UnixListener, error) {
	if !peersKnown {
		return nil, ErrPeers
	}
	l, err := net.FileListener(f)
	err = errors.Join(err, f.Close())
	if err != nil {
		return nil, fmt.Errorf("socket of the service manager: %w", err)
	}
	unix, ok := l.(*net.UnixListener)
	if !ok {
		return nil, errors.Join(errors.New("socket of the service manager: it is no Unix stream socket"), l.Close())
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
