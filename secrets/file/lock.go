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
// excludes goroutines as well as processes, because each opens the file
// separately. It ends when its process ends.
type fileLock struct {
	file *os.File
	path string
}

// Backoff between attempts to take a lock. A blocking lock call could not be
// canceled by ctx.
const (
	minPoll = time.Millisecond
	maxPoll = 25 * time.Millisecond
)

// acquire locks a file, which it creates if needed, and waits for the lock
// until ctx ends. Parameter what names the lock in messages.
func acquire(ctx context.Context, path, what string) (*fileLock, error) {
	wait := secrets.NewWaiting(what)
	who := func() string { return holder(path) }
	for backoff := minPoll; ; backoff = min(2*backoff, maxPoll) {
		l, err := tryAcquire(path)
		if !errors.Is(err, errLocked) {
			return l, err
		}
		wait.Notice(ctx, who)
		select {
		case <-time.After(backoff/2 + rand.N(backoff)): // with jitter, so that waiters do not retry at the same time
		case <-ctx.Done():
			return nil, wait.End(ctx.Err(), who())
		}
	}
}

var errLocked = errors.New("locked by another process")

// tryAcquire takes the lock without waiting, or returns errLocked.
func tryAcquire(path string) (*fileLock, error) {
	for range maxAttempts {
		f, err := openFile(path, os.O_RDWR|os.O_CREATE)
		if errors.Is(err, fs.ErrNotExist) { // the folder was removed
			return nil, unavailable(err)
		}
		if err != nil {
			return nil, err
		}
		l := &fileLock{f, path}
		locked, err := tryLock(f)
		if locked && l.isCurrent() {
			l.writeHolder()
			return l, nil
		}
		f.Close()
		if err != nil {
			return nil, unavailable(fmt.Errorf("lock %s: %w", path, err))
		}
		if !locked {
			return nil, errLocked
		}
		// The holder removed the file after it was opened here: retry.
	}
	return nil, errLocked
}

// maxAttempts limits the attempts without backoff: on some network file systems
// os.SameFile is never true.
const maxAttempts = 10

// maxHolder limits the text that names a lock's holder, in bytes.
const maxHolder = 200

// writeHolder writes the holder's name into the locked file, for the messages of
// waiting processes. It is best effort.
func (l *fileLock) writeHolder() {
	host, _ := os.Hostname()
	if host != "" {
		host = " on " + host
	}
	// On Windows other processes cannot read the locked byte, which is the first
	// one.
	_, _ = l.file.WriteAt(fmt.Appendf(nil, "\nprocess %d%s\n", os.Getpid(), host), 0)
}

// holder returns who holds the lock of a file; "" if unknown.
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

// isCurrent reports whether the path still refers to the locked file.
func (l *fileLock) isCurrent() bool {
	held, err := l.file.Stat()
	if err != nil {
		return false
	}
	now, err := os.Lstat(l.path)
	return err == nil && os.SameFile(held, now)
}

// release removes the file and releases the lock. Only the holder removes the
// file; a process that opened it earlier detects that by isCurrent. The file of
// a killed holder stays until the next holder releases it.
func (l *fileLock) release() {
	if l.isCurrent() {
		removeLocked(l.path) // best effort: a leftover file is harmless
	}
	l.unlock()
}

// unlock releases the lock and keeps the file, without the holder's name. Close
// releases the lock even if it returns an error.
func (l *fileLock) unlock() {
	_ = l.file.Truncate(0) // best effort: the next holder overwrites it
	l.file.Close()
}
