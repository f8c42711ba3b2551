//go:build !unix

package privsock

import (
	"io/fs"
	"net"
)

// CheckFolder accepts every folder here: its ACL controls access.
func CheckFolder(string, string) error { return nil }

// bind binds a socket, which inherits the ACL of its folder.
func bind(path string) (*net.UnixListener, error) {
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return nil, Cause(err)
	}
	l.SetUnlinkOnClose(false)
	return l, nil
}

// owner: files have no user ids here.
func owner(fs.FileInfo) (uid int, known bool) { return 0, false }
