// Package privsock makes Unix sockets that only this user can connect to. It
// must not know what they are for.
//
// # Security
//
// A socket is bound in a folder of mode 0700 and moved into place with mode
// 0600, so that there is no instant at which it is open to others, whatever the
// umask. The umask itself stays as it is: it belongs to the whole process, and
// other goroutines make files meanwhile.
package privsock

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"

	"github.com/mcp-login/mcp-login/internal/atomicfile"
)

// ErrTaken means that a process is already listening on the socket.
var ErrTaken = errors.New("address already in use by another process")

// PathError means that no private socket can be made at a path, whatever is there.
type PathError struct {
	// Reason says why.
	Reason string
}

func (e *PathError) Error() string { return e.Reason }

// OwnerError means that a socket is another user's.
type OwnerError struct{ UID int }

func (e *OwnerError) Error() string {
	return fmt.Sprintf("the socket belongs to user %d, but you are user %d; use another path", e.UID, os.Geteuid())
}

// Listen makes a socket of mode 0600, in a folder that is made with mode 0700
// if it is missing; one that others can write is refused, for they could put a
// socket of their own in place of this one. A socket that a dead process left is
// replaced; where somebody still listens, or may, or another user's socket or something
// else is, it fails. Remove takes the socket away, unless another process has
// replaced it.
func Listen(path string) (l *net.UnixListener, remove func(), err error) {
	if l, err = place(path); err != nil {
		return nil, nil, err
	}
	made, err := os.Lstat(path)
	if err != nil {
		return nil, nil, errors.Join(err, l.Close())
	}
	return l, func() {
		if now, err := os.Lstat(path); err == nil && Same(made, now) {
			_ = os.Remove(path) // the next process replaces what is left
		}
	}, nil
}

// place makes the socket. The folder is locked from the look at what is there
// to the move into its place: of two processes that start at once, the second
// finds the first.
func place(path string) (*net.UnixListener, error) {
	if err := fits(path); err != nil {
		return nil, err
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	if err := CheckFolder(dir, "the socket"); err != nil {
		return nil, err
	}
	unlock, err := atomicfile.LockFolder(dir)
	if err != nil {
		return nil, err
	}
	defer unlock()
	if err := checkFree(path); err != nil {
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

// fits returns a PathError for a path that a socket cannot have, or be made for. On
// Linux a name that begins with @ is not a file, and every user can connect to it
// (unix(7)).
func fits(path string) error {
	if path == "" || path[0] == '@' {
		return &PathError{"use the path of a file"}
	}
	if len(path) > maxPath {
		return &PathError{fmt.Sprintf("the path is too long for a socket: %d bytes, the maximum is %d", len(path), maxPath)}
	}
	if dir := filepath.Dir(path); len(dir)+maxPrivate > maxPath {
		return &PathError{fmt.Sprintf("the path of the folder is too long for a socket: %d bytes, the maximum is %d", len(dir), maxPath-maxPrivate)}
	}
	return nil
}

// checkFree returns nil if a socket may be made at path. Whatever does not answer
// that nobody listens may be a process that is busy, or another user's.
func checkFree(path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case info.Mode().Type() != fs.ModeSocket:
		return errors.New("the path is not a socket")
	}
	if uid, known := owner(info); known && uid != os.Geteuid() {
		return &OwnerError{uid}
	}
	c, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: path, Net: "unix"})
	switch {
	case err == nil:
		defer c.Close() // nothing was said
		if peer, err := PeerOf(c); err == nil && peer.UID != os.Geteuid() {
			return &OwnerError{peer.UID}
		}
		return ErrTaken
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, fs.ErrNotExist):
		return nil
	}
	return fmt.Errorf("a socket already exists, and may still be in use: %w", Cause(err))
}

// Same reports whether one file is the other. A number of a file that was
// removed may be given again at once, so the time counts too.
func Same(a, b fs.FileInfo) bool {
	return os.SameFile(a, b) && a.ModTime().Equal(b.ModTime())
}

// Cause is a socket's error without the addresses, which name the private
// folder, and without counting as the network's: trying again does not help.
func Cause(err error) error {
	if op, ok := errors.AsType[*net.OpError](err); ok {
		return op.Err
	}
	return err
}
