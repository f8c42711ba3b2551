package agent

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"
)

// Listen makes a socket of mode 0600, in a folder that is made with mode 0700
// if it is missing; one that others can write is refused, for they could put a
// socket of their own in place of this one. A socket that a dead agent left is
// replaced; where somebody still listens, or may, or something else than a
// socket is, it fails. Remove takes the socket away, unless another agent has
// replaced it.
func Listen(path string) (l *net.UnixListener, remove func(), err error) {
	if !peersKnown {
		return nil, nil, ErrPeers
	}
	if l, err = place(path); err != nil {
		return nil, nil, fmt.Errorf("listen at %s: %w", path, err)
	}
	made, err := os.Lstat(path)
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("listen at %s: %w", path, err), l.Close())
	}
	return l, func() {
		if now, err := os.Lstat(path); err == nil && sameSocket(made, now) {
			_ = os.Remove(path) // the next agent replaces what is left
		}
	}, nil
}

// place makes the socket. The folder is locked from the look at what is there
// to the move into its place: of two agents that start at once, the second
// finds the first.
func place(path string) (*net.UnixListener, error) {
	if err := fits(path); err != nil {
		return nil, err
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	if err := CheckFolder(dir); err != nil {
		return nil, err
	}
	unlock, err := lockFolder(dir)
	if err != nil {
		return nil, err
	}
	defer unlock()
	if err := vacant(path); err != nil {
		return nil, err
	}
	return bind(path)
}

const (
	// maxPath is what every system takes as the path of a socket (sun_path).
	maxPath = 103
	// made is how the socket is called in its private folder, whose own name
	// is a dot and at most ten digits.
	made       = "s"
	maxPrivate = len("/.4294967295/") + len(made)
)

// fits tells of a path that a socket cannot have, or be made for.
func fits(path string) error {
	if len(path) > maxPath {
		return fmt.Errorf("the path is too long for a socket: it has %d bytes, and may have %d", len(path), maxPath)
	}
	if dir := filepath.Dir(path); len(dir)+maxPrivate > maxPath {
		return fmt.Errorf("the folder's path is too long to make a socket in: it has %d bytes, and may have %d", len(dir), maxPath-maxPrivate)
	}
	return nil
}

// vacant returns nil if a socket may be made at path. Whatever does not answer
// that nobody listens may be an agent that is busy, or another user's.
func vacant(path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case info.Mode().Type() != fs.ModeSocket:
		return errors.New("something that is no socket is there")
	}
	c, err := net.Dial("unix", path)
	switch {
	case err == nil:
		_ = c.Close() // nothing was said
		return errors.New("an agent is there already")
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, fs.ErrNotExist):
		return nil
	}
	return fmt.Errorf("a socket is there already, and it is not certain that nobody listens: %w", cause(err))
}

// bind binds the socket where nobody else gets to and moves it into place when
// its mode is right: there is no instant at which it is open to others.
func bind(path string) (*net.UnixListener, error) {
	private, err := os.MkdirTemp(filepath.Dir(path), ".")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.Remove(private) }() // empty
	made := filepath.Join(private, made)
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: made, Net: "unix"})
	if err != nil {
		return nil, cause(err)
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

// sameSocket reports whether one file is the other. A number of a file that was
// removed may be given again at once, so the time counts too.
func sameSocket(a, b fs.FileInfo) bool {
	return os.SameFile(a, b) && a.ModTime().Equal(b.ModTime())
}

// cause is a socket's error without the addresses, which name the private
// folder, and without counting as the network's: trying again does not help.
func cause(err error) error {
	if op, ok := errors.AsType[*net.OpError](err); ok {
		return op.Err
	}
	return err
}
