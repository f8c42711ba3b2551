//go:build unix

package privsock

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
)

// bind binds the socket in a private folder and moves it into place with its
// final mode, so that it is never accessible to others.
func bind(path string) (*net.UnixListener, error) {
	private, err := os.MkdirTemp(filepath.Dir(path), ".")
	if of, ok := errors.AsType[*fs.PathError](err); ok {
		return nil, &fs.PathError{Op: "write to", Path: filepath.Dir(path), Err: of.Err} // not the random name
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.Remove(private) }() // empty
	made := filepath.Join(private, made)
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: made, Net: "unix"})
	if err != nil {
		return nil, Cause(err)
	}
	l.SetUnlinkOnClose(false)
	err = os.Chmod(made, 0o600)
	if err == nil {
		err = os.Rename(made, path)
	}
	if err != nil {
		_ = os.Remove(made) // useless
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}
