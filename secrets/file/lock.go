package file

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"time"
)

// fileLock is an exclusive lock of the operating system on an open file. It
// excludes goroutines as well as processes, since each opens the file anew,
// and ends with its holder.
type fileLock struct {
	file *os.File
	path string
}

// How long a waiting process sleeps between two tries. The kernel can wake
// waiters by itself, but then nothing could end the wait early.
const (
	minPoll = time.Millisecond
	maxPoll = 25 * time.Millisecond
)

// acquire locks a file, which it creates if it is missing, or waits until ctx
// ends.
func acquire(ctx context.Context, path string) (*fileLock, error) {
	for {
		f, err := openFile(path, os.O_RDWR|os.O_CREATE)
		if errors.Is(err, fs.ErrNotExist) { // the folder is gone
			return nil, unavailable(err)
		}
		if err != nil {
			return nil, err
		}
		l := &fileLock{f, path}
		if err := l.wait(ctx); err != nil {
			f.Close()
			return nil, err
		}
		if l.current() {
			return l, nil
		}
		f.Close() // its holder removed it while we waited; others lock the file that took its place
	}
}

// wait polls for the lock, each time after a random pause, so that many
// waiters do not march in step.
func (l *fileLock) wait(ctx context.Context) error {
	for pause := minPoll; ; pause = min(2*pause, maxPoll) {
		locked, err := tryLock(l.file)
		if err != nil {
			return unavailable(fmt.Errorf("lock %s: %w", l.path, err))
		}
		if locked {
			return nil
		}
		select {
		case <-time.After(pause/2 + rand.N(pause)):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// current reports whether the path still leads to the locked file.
func (l *fileLock) current() bool {
	held, err := l.file.Stat()
	if err != nil {
		return false
	}
	now, err := os.Lstat(l.path)
	return err == nil && os.SameFile(held, now)
}

// release removes the file and ends the lock. Only the holder of the lock
// removes the file, and who opened it before finds out by current. What a
// killed holder leaves is one empty file, and the next holder removes it.
func (l *fileLock) release() {
	if l.current() {
		removeLocked(l.path) // best effort: an empty file that stays does no harm
	}
	l.keep()
}

// keep ends the lock and leaves the file. Closing ends the lock even where
// Close reports an error.
func (l *fileLock) keep() { l.file.Close() }
