package agentd

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"sync"

	"github.com/mcp-login/mcp-login/internal/paths"
)

// AuditLog is an audit log in a file: only whole lines are appended, and only
// this user can read it. Other agents may append to the same file.
type AuditLog struct {
	path string

	mu sync.Mutex // guards f
	f  *os.File
}

// OpenAudit opens the audit log at path. It creates the file and its folder if
// they are missing.
func OpenAudit(path string) (*AuditLog, error) {
	a := &AuditLog{path: path}
	if err := a.Reopen(); err != nil {
		return nil, err
	}
	return a, nil
}

// Reopen opens a new file if the old one was renamed. If that fails, the old
// file stays in use.
func (a *AuditLog) Reopen() error {
	f, err := openPrivate(a.path)
	if err != nil {
		return fmt.Errorf("audit log: %w", err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	old := a.f
	a.f = f
	if old == nil {
		return nil
	}
	return old.Close()
}

// openPrivate opens a regular file of mode 0600 for appending, which it creates if
// needed. The file must belong to this user: otherwise root could write to another
// user's file, who could read it. Links are not followed.
func openPrivate(path string) (*os.File, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	if info, err := os.Lstat(path); err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file", path) // opening a pipe would wait
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_RDWR|noFollow, 0o600)
	if err != nil {
		return nil, err
	}
	if err := checkPrivate(path, f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func checkPrivate(path string, f *os.File) error {
	opened, err := f.Stat()
	if err != nil {
		return err
	}
	named, err := os.Lstat(path)
	uid, known := paths.Owner(path)
	switch {
	case err != nil:
		return err
	case known && uid != os.Geteuid():
		return fmt.Errorf("%s belongs to user %d", path, uid)
	case !os.SameFile(opened, named):
		return fmt.Errorf("%s was replaced", path)
	case opened.Mode().Perm()&0o077 != 0 && runtime.GOOS != "windows":
		return fmt.Errorf("%s is open to others (mode %04o): chmod 600 it", path, opened.Mode().Perm())
	}
	return nil
}

// Write implements io.Writer for whole lines. If the file was renamed or
// removed, it reopens it first.
func (a *AuditLog) Write(line []byte) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.moved() {
		f, err := openPrivate(a.path)
		if err != nil {
			return 0, err
		}
		_ = a.f.Close() // each line was written as it came
		a.f = f
	}
	if err := appendLine(a.f, line); err != nil {
		return 0, err
	}
	return len(line), nil
}

// moved reports whether the file was renamed or removed.
func (a *AuditLog) moved() bool {
	opened, err := a.f.Stat()
	if err != nil {
		return true
	}
	named, err := os.Lstat(a.path)
	return err != nil || !os.SameFile(opened, named)
}

// appendLine appends a whole line to a file, or nothing. An incomplete line,
// for example of a killed process, is terminated first.
func appendLine(f *os.File, line []byte) error {
	end, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	if end > 0 {
		last := make([]byte, 1)
		if _, err := f.ReadAt(last, end-1); err != nil {
			return err
		}
		if last[0] != '\n' {
			line = append([]byte{'\n'}, line...)
		}
	}
	n, err := f.Write(line)
	if err == nil || n == 0 {
		return err
	}
	if now, serr := f.Seek(0, io.SeekEnd); serr != nil || now != end+int64(n) {
		return err // another agent's line follows already
	}
	return errors.Join(err, f.Truncate(end))
}

// Close closes the file.
func (a *AuditLog) Close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	_ = a.f.Close() // each line was written as it came
}
