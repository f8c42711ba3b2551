//go:build unix

package file

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"github.com/mcp-login/mcp-login/internal/suggest"
	"github.com/mcp-login/mcp-login/secrets"
)

// open is os.OpenFile, but does not follow links and does not block on pipes.
func open(path string, flag int, mode fs.FileMode) (*os.File, error) {
	return os.OpenFile(path, flag|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, mode)
}

// checkOwner returns an error if the file belongs to another user or its mode
// allows more than want.
func checkOwner(path string, info fs.FileInfo, want fs.FileMode) error {
	if st, ok := info.Sys().(*syscall.Stat_t); ok && int(st.Uid) != os.Geteuid() {
		return &OwnerError{Path: path, UID: int(st.Uid)}
	}
	if mode := info.Mode().Perm(); mode&^want != 0 {
		return fmt.Errorf("%w: %s has mode %04o, which gives other users access; run: %s",
			secrets.ErrUnavailable, path, mode, suggest.Command{"chmod", fmt.Sprintf("%o", want), path})
	}
	return nil
}

func rename(from, to string) error { return os.Rename(from, to) }

func remove(path string) error { return os.Remove(path) }

// syncDir flushes a folder, which makes a rename or removal in it durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return unavailable(err)
	}
	defer d.Close()
	if err := d.Sync(); err != nil {
		return unavailable(err)
	}
	return nil
}

// modeOf returns the type and mode of a file, for an error.
func modeOf(info fs.FileInfo) string { return " (" + info.Mode().String() + ")" }
