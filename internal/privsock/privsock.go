// Package privsock creates Unix sockets that only this user can connect to. It
// must not know what they are for.
//
// # Security
//
// A socket is bound in a folder of mode 0700 and moved into place with mode
// 0600, so that it is never accessible to others, regardless of the umask. The
// umask itself is not changed, because it is global to the process, and other
// goroutines may create files at the same time.
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

// PathError means that a private socket cannot be created at a path.
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

// Listen listens on a socket of mode 0600, in a folder that it creates with mode 0700
// if needed. It rejects a folder that others can write, because they could replace the
// socket. It replaces the socket of a dead process; if another process still listens,
// or may, or if the path has another user's socket or another file, it fails. Remove
// removes the socket, unless another process has replaced it.
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
			_ = os.Remove(path) // the next process replaces a leftover
		}
	}, nil
}

// place creates the socket. It locks the folder from checking the path to
// moving the socket there, so that of two concurrent processes the second
// detects the first.
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
	// maxPath is the length that every system supports for the path of a socket
	// (sun_path), in bytes.
	maxPath = 103
	// made is the name of the socket in its private folder, whose name is a dot
	// and at most ten digits.
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

// checkFree returns nil if a socket may be created at path. Only ECONNREFUSED
// shows that no process is listening; after any other error a busy process or
// another user's may be.
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
		defer c.Close() // nothing was sent
		if peer, err := PeerOf(c); err == nil && peer.UID != os.Geteuid() {
			return &OwnerError{peer.UID}
		}
		return ErrTaken
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, fs.ErrNotExist):
		return nil
	}
	return fmt.Errorf("a socket already exists, and may still be in use: %w", Cause(err))
}

// Same reports whether both are the same file. Inode numbers can be reused
// immediately, so it compares the time too.
func Same(a, b fs.FileInfo) bool {
	return os.SameFile(a, b) && a.ModTime().Equal(b.ModTime())
}

// Cause returns a socket's error without the addresses, which contain the
// private folder, and not as a net.Error, because a retry does not help.
func Cause(err error) error {
	if op, ok := errors.AsType[*net.OpError](err); ok {
		return op.Err
	}
	return err
}
