package clientconfig

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/mcp-login/mcp-login/internal/atomicfile"
	"github.com/mcp-login/mcp-login/internal/paths"
)

// ErrChanged means that another program changed the file at the same time.
var ErrChanged = errors.New("another program changed it at the same time; try again")

// FileError says what is wrong with a client's file.
type FileError struct {
	Path string
	Err  error
}

func (e *FileError) Error() string { return fmt.Sprintf("%s: %v", e.Path, reason(e.Err)) }

// Unwrap returns what is wrong.
func (e *FileError) Unwrap() error { return e.Err }

// reason is an error of the system without its path, which may be that of a temporary
// file.
func reason(err error) error {
	if of, ok := errors.AsType[*fs.PathError](err); ok {
		return of.Err
	}
	if of, ok := errors.AsType[*os.LinkError](err); ok {
		return of.Err
	}
	return err
}

// exclusively calls do while no other process of this program changes files in the
// folder of a file, which it makes.
func exclusively(path string, do func() error) error {
	to, err := target(path)
	if err == nil {
		err = os.MkdirAll(filepath.Dir(to), 0o700)
	}
	if err != nil {
		return &FileError{path, err}
	}
	unlock, err := atomicfile.LockFolder(filepath.Dir(to))
	if err != nil {
		return &FileError{path, err}
	}
	defer unlock()
	return do()
}

// Change is an edit of a client's file that is not yet written.
type Change struct {
	Path   string // of the file, as it was named
	before document
	after  []byte
	gone   bool // the file is removed
}

// newChange returns the change that gives a file this text.
func newChange(path string, before document, after []byte) Change {
	return Change{Path: path, before: before, after: before.encode(after)}
}

// Empty reports whether the file has the content already.
func (c Change) Empty() bool { return c.before.exists && bytes.Equal(c.before.content, c.after) }

// Gone reports whether the change removes the file.
func (c Change) Gone() bool { return c.gone }

// Apply writes the file so that a reader sees the old content or the new, and
// leaves the old one in a backup beside it; "": there was none, or the file had only
// what this program wrote and is gone. It keeps the file's mode, and writes where a
// link leads.
func (c Change) Apply() (backup string, err error) {
	if backup, err = c.apply(); err != nil {
		return "", &FileError{c.Path, err}
	}
	return backup, nil
}

func (c Change) apply() (backup string, err error) {
	now, err := readDocument(c.Path)
	switch {
	case err != nil:
		return "", err
	case now.exists != c.before.exists || !bytes.Equal(now.content, c.before.content):
		return "", ErrChanged
	case !now.exists:
		if err := os.MkdirAll(filepath.Dir(now.path), 0o700); err != nil {
			return "", err
		}
		return "", atomicfile.Write(now.path, c.after, 0o600)
	}
	info, err := os.Stat(now.path)
	if err != nil {
		return "", err
	}
	if uid, known := paths.Owner(now.path); known && uid != os.Geteuid() {
		return "", fmt.Errorf("it belongs to user %d, and would no longer", uid)
	}
	if info.Mode().Perm()&0o200 == 0 {
		return "", errors.New("it is read-only")
	}
	if c.gone {
		return "", os.Remove(now.path)
	}
	if backup, err = keep(now.path, now.content); err != nil {
		return "", err
	}
	return backup, atomicfile.Write(now.path, c.after, info.Mode().Perm())
}

// Add returns the change that adds an entry to a file of the client, or replaces
// the one of the same name.
func (c Client) Add(path string, e Entry, v Via) (Change, error) {
	if !c.Can(v) {
		return Change{}, &CannotError{c, v}
	}
	d, m, err := c.load(path)
	if err != nil {
		return Change{}, err
	}
	after, err := edited(c.format(), d.text, c.where(m, e.Name()), c.shapes[v](e))
	if err != nil {
		return Change{}, &FileError{path, err}
	}
	return newChange(path, d, after), nil
}

// Remove returns the change that takes the entry of a name away. Found is false
// if there is none.
func (c Client) Remove(path string, e Entry) (change Change, found bool, err error) {
	d, m, err := c.load(path)
	if err != nil {
		return change, false, err
	}
	at := c.where(m, e.Name())
	if !has(m, at) {
		return change, false, nil
	}
	left, err := edited(c.format(), d.text, at, nil)
	if err != nil {
		return change, true, &FileError{path, err}
	}
	if original, known := c.original(d, at, left); known {
		return Change{Path: path, before: d, after: original}, true, nil
	}
	left, empty, err := c.tidy(d, left, at)
	if err != nil {
		return change, true, &FileError{path, err}
	}
	change = newChange(path, d, left)
	change.gone = empty && !isLink(path)
	return change, true, nil
}

// load reads a file and what is in it.
func (c Client) load(path string) (d document, m map[string]any, err error) {
	if d, err = readDocument(path); err == nil {
		m, err = c.format().decode(d.text)
	}
	if err != nil {
		return d, nil, &FileError{path, err}
	}
	return d, m, nil
}

// where returns the path of an entry. Version 1 of opencode has its servers one
// level higher: so has a file that is written for it.
func (c Client) where(m map[string]any, name string) []string {
	keys := c.keys
	if c.Name == "opencode" {
		if servers, ok := m["mcp"].(map[string]any); ok && len(servers) > 0 && servers["servers"] == nil {
			keys = keys[:1]
		}
	}
	return append(keys[:len(keys):len(keys)], name)
}
