//go:build unix

package main

import (
	"fmt"
	"io/fs"
	"net"
	"os"
	"syscall"
)

// checkFolder refuses a folder in which another user can put a socket in the
// place of ours. Who can move the folder itself is not asked.
func checkFolder(dir string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	if mode := info.Mode(); mode.Perm()&0o022 != 0 && mode&fs.ModeSticky == 0 {
		return fmt.Errorf("the folder %s has mode %04o, so that others can replace the socket; run: chmod go-w %s", dir, mode.Perm(), dir)
	}
	if st, ok := info.Sys().(*syscall.Stat_t); ok && st.Uid != 0 && int(st.Uid) != os.Geteuid() {
		return fmt.Errorf("the folder %s belongs to user %d, not to user %d who runs this", dir, st.Uid, os.Geteuid())
	}
	return nil
}

// listenPrivately makes a Unix socket of mode 0600: it must not be open to
// others for a moment, so the mode is set before the socket is made.
func listenPrivately(path string) (net.Listener, error) {
	defer syscall.Umask(syscall.Umask(0o177))
	return net.Listen("unix", path)
}
