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
	for pause := minPoll; ; pause = min(2*pause, maxPoll) {
		l, err := try(path)
		if !errors.Is(err, errLocked) {
			return l, err
		}
		select {
		case <-time.After(pause/2 + rand.N(pause)): // random, so that many waiters do not march in step
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

var errLocked = errors.New("locked by somebody else")

// try takes the lock at once, or returns errLocked.
func try(path string) (*fileLock, error) {
	for {
		f, err := openFile(path, os.O_RDWR|os.O_CREATE)
		if errors.Is(err, fs.ErrNotExist) { // the folder is gone
			return nil, unavailable(err)
		}
		if err != nil {
			return nil, err
		}
		l := &fileLock{f, path}
		locked, err := tryLock(f)
		if locked && l.current() {
			return l, nil
		}
		f.Close()
		if err != nil {
			return nil, unavailable(fmt.Errorf("lock %s: %w", path, err))
		}
		if !locked {
			return nil, errLocked
		}
		// Its holder removed the file after we opened it: once more.
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
