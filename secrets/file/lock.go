package file

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"strings"
	"time"

	"github.com/mcp-login/mcp-login/secrets"
)

// fileLock is an exclusive lock of the operating system on an open file. It
// excludes goroutines as well as processes, since each opens the file again,
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
// ends. what names the lock for people.
func acquire(ctx context.Context, path, what string) (*fileLock, error) {
	wait := secrets.NewWaiting(what)
	who := func() string { return holder(path) }
	for pause := minPoll; ; pause = min(2*pause, maxPoll) {
		l, err := try(path)
		if !errors.Is(err, errLocked) {
			return l, err
		}
		wait.Notice(ctx, who)
		select {
		case <-time.After(pause/2 + rand.N(pause)): // random, so that many waiters do not march in step
		case <-ctx.Done():
			return nil, wait.End(ctx.Err(), who())
		}
	}
}

var errLocked = errors.New("locked by another process")

// try takes the lock at once, or returns errLocked.
func try(path string) (*fileLock, error) {
	for range maxTries {
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
			l.sign()
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
	return nil, errLocked
}

// maxTries bounds the tries without a pause: on some network file systems a
// file never looks like itself.
const maxTries = 10

// maxHolder bounds what is read of a lock's holder.
const maxHolder = 200

// sign writes into the locked file who holds it. It is best effort: the lock
// counts, and the text is only for people who wait.
func (l *fileLock) sign() {
	host, _ := os.Hostname()
	if host != "" {
		host = " on " + host
	}
	// Windows keeps others from reading the first byte, which is the locked one.
	_, _ = l.file.WriteAt(fmt.Appendf(nil, "\nprocess %d%s\n", os.Getpid(), host), 0)
}

// holder returns who holds the lock of a file, "" if that cannot be told.
func holder(path string) string {
	f, err := openFile(path, os.O_RDONLY)
	if err != nil {
		return ""
	}
	defer f.Close()
	text, err := io.ReadAll(io.NewSectionReader(f, 1, maxHolder))
	if err != nil {
		return ""
	}
	line, _, whole := strings.Cut(string(text), "\n")
	if !whole || !strings.HasPrefix(line, "process ") {
		return ""
	}
	return line
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
// killed holder leaves is one file, and the next holder removes it.
func (l *fileLock) release() {
	if l.current() {
		removeLocked(l.path) // best effort: a file that stays does no harm
	}
	l.keep()
}

// keep ends the lock and leaves the file, without the name of its holder.
// Closing ends the lock even where Close reports an error.
func (l *fileLock) keep() {
	_ = l.file.Truncate(0) // best effort: the next holder overwrites it
	l.file.Close()
}
