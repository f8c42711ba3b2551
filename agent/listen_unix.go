//go:build linux || darwin || freebsd

package agent

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// checkFolder refuses a folder in which others can replace the socket. In one
// with the sticky bit, as /tmp has it, they cannot.
func checkFolder(dir string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	if mode := info.Mode(); mode.Perm()&0o022 != 0 && mode&fs.ModeSticky == 0 {
		return fmt.Errorf("others can write the folder %s (mode %04o), and replace the socket; run: chmod go-w %s", dir, mode.Perm(), dir)
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if ok && st.Uid != 0 && int(st.Uid) != os.Geteuid() {
		return fmt.Errorf("the folder %s belongs to user %d, who can replace the socket", dir, st.Uid)
	}
	return nil
}

const (
	// lockWait is how long another agent may take to make its socket.
	lockWait  = 5 * time.Second
	lockAgain = 20 * time.Millisecond
)

// lockFolder keeps others from making a socket in a folder until unlock.
func lockFolder(dir string) (unlock func(), err error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	unlock = func() { _ = f.Close() } // which unlocks; nothing was written
	for begun := time.Now(); ; time.Sleep(lockAgain) {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		switch {
		case errors.Is(err, unix.EINTR):
		case !errors.Is(err, unix.EWOULDBLOCK):
			// Where a folder cannot be locked (NFS) the last of two that start
			// in the same instant wins, and the first says so in its log.
			return unlock, nil
		case time.Since(begun) > lockWait:
			unlock()
			return nil, fmt.Errorf("another program holds a lock on the folder %s", dir)
		}
	}
}
