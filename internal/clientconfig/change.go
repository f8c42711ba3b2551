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

// maxFile is the maximum size of a file that is edited. Claude Code keeps much of
// its state in the same one.
const maxFile = 64 << 20

// ErrChanged means that another program changed the file at the same time.
var ErrChanged = errors.New("another program changed it at the same time; try again")

// FileError says what is wrong with a client's file.
type FileError struct {
	Path string
	Err  error
}

func (e *FileError) Error() string { return fmt.Sprintf("%s: %v", e.Path, e.Err) }

// Unwrap returns what is wrong.
func (e *FileError) Unwrap() error { return e.Err }

// document is a client's file.
type document struct {
	path   string // what it leads to, if it is a link
	exists bool
	text   []byte
}

// readDocument reads a file; a missing one is empty.
func readDocument(path string) (d document, err error) {
	if d.path, err = filepath.EvalSymlinks(path); errors.Is(err, fs.ErrNotExist) {
		if info, statErr := os.Lstat(path); statErr == nil && info.Mode()&fs.ModeSymlink != 0 {
			return d, fmt.Errorf("it is a broken symbolic link")
		}
		return document{path: path}, nil
	}
	if err != nil {
		return d, err
	}
	info, err := os.Stat(d.path)
	switch {
	case err != nil:
		return d, err
	case !info.Mode().IsRegular():
		return d, fmt.Errorf("it is not a regular file")
	case info.Size() > maxFile:
		return d, fmt.Errorf("it is larger than %d MiB", maxFile>>20)
	}
	d.exists = true
	d.text, err = os.ReadFile(d.path)
	return d, err
}

// Change is an edit of a client's file that is not yet written.
type Change struct {
	Path   string // of the file, as it was named
	Backup string // where Apply leaves the content before; "": there was none
	before document
	after  []byte
}

// newChange returns the change that gives a file this content.
func newChange(path string, before document, after []byte) Change {
	c := Change{Path: path, before: before, after: after}
	if before.exists {
		c.Backup = before.path + ".mcp-login.bak"
	}
	return c
}

// Empty reports whether the file has the content already.
func (c Change) Empty() bool { return c.before.exists && bytes.Equal(c.before.text, c.after) }

// Apply writes the file so that a reader sees the old content or the new, and
// leaves the old one beside it. It keeps the file's mode, and writes where a link
// leads.
func (c Change) Apply() error {
	if err := c.apply(); err != nil {
		return &FileError{c.Path, err}
	}
	return nil
}

func (c Change) apply() error {
	path, mode := c.before.path, fs.FileMode(0o600)
	if info, err := os.Stat(path); err == nil {
		mode = info.Mode().Perm()
	}
	if uid, known := paths.Owner(path); known && uid != os.Geteuid() {
		return fmt.Errorf("it belongs to user %d, and would no longer", uid)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	if c.Backup != "" {
		if err := atomicfile.Write(c.Backup, c.before.text, 0o600); err != nil {
			return err
		}
	}
	now, err := readDocument(c.Path)
	if err != nil {
		return err
	}
	if now.exists != c.before.exists || !bytes.Equal(now.text, c.before.text) {
		return ErrChanged
	}
	return atomicfile.Write(path, c.after, mode)
}

// Add returns the change that adds an entry to a file of the client, or replaces
// the one of the same name.
func (c Client) Add(path string, e Entry, v Via) (Change, error) {
	if !c.Can(v) {
		return Change{}, &CannotError{c, v}
	}
	return c.edit(path, c.shapes[v](e), e.Name())
}

// Remove returns the change that takes the entry of a name away. Found is false
// if there is none.
func (c Client) Remove(path string, e Entry) (change Change, found bool, err error) {
	d, err := readDocument(path)
	if err != nil {
		return change, false, &FileError{path, err}
	}
	m, err := c.format().decode(d.text)
	if err != nil {
		return change, false, &FileError{path, err}
	}
	if _, found = lookup(m, c.where(m, e.Name())); !found {
		return change, false, nil
	}
	change, err = c.edit(path, nil, e.Name())
	return change, true, err
}

func (c Client) edit(path string, f fields, name string) (Change, error) {
	d, err := readDocument(path)
	if err != nil {
		return Change{}, &FileError{path, err}
	}
	m, err := c.format().decode(d.text)
	if err != nil {
		return Change{}, &FileError{path, err}
	}
	var value any
	if f != nil {
		value = f
	}
	after, err := edited(c.format(), d.text, c.where(m, name), value)
	if err != nil {
		return Change{}, &FileError{path, err}
	}
	return newChange(path, d, after), nil
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
