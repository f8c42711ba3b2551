//go:build unix

package atomicfile

import (
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// lockWait is how long another process may take to change what is in a folder.
	lockWait  = 5 * time.Second
	lockAgain = 20 * time.Millisecond
)

// LockFolder keeps other processes that call it from changing what is in a folder until
// unlock.
func LockFolder(dir string) (unlock func(), err error) {
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
			// in the same instant wins.
			return unlock, nil
		case time.Since(begun) > lockWait:
			unlock()
			return nil, fmt.Errorf("another program holds a lock on the folder %s", dir)
		}
	}
}
