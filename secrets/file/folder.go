package file

import (
	"cmp"
	"errors"
	"io/fs"
	"path/filepath"
	"sync"
)

// Folder is a folder of small private files: it has mode 0700 and its files
// 0600. If it is accessible to other users, belongs to another user or is a
// symbolic link, methods return secrets.ErrUnavailable.
type Folder struct {
	Dir   string // created on the first write
	Limit int64  // maximum size of a file to read, in bytes; zero means 64 KiB
}

// Path returns the path of a file in the folder.
func (f Folder) Path(name string) string { return filepath.Join(f.Dir, name) }

// Read returns a file. A missing one, or a missing folder, is fs.ErrNotExist.
func (f Folder) Read(name string) ([]byte, error) {
	if err := checkDir(f.Dir); err != nil {
		return nil, err
	}
	return readFile(f.Path(name), cmp.Or(f.Limit, maxHeader))
}

// Write replaces a file atomically and durably.
func (f Folder) Write(name string, data []byte) error {
	if err := makeDir(f.Dir); err != nil {
		return err
	}
	path := f.Path(name)
	return writeFile(path, path+".tmp", data)
}

// TryLock takes the exclusive lock of a file in the folder, across processes,
// unless it is held. The lock ends when its process ends.
func (f Folder) TryLock(name string) (unlock func(), ok bool, err error) {
	if err := makeDir(f.Dir); err != nil {
		return nil, false, err
	}
	l, err := tryAcquire(f.Path(name))
	if errors.Is(err, errLocked) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	return sync.OnceFunc(l.release), true, nil
}

// Remove removes a file if it exists.
func (f Folder) Remove(name string) error {
	if err := remove(f.Path(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return unavailable(err)
	}
	return syncDir(f.Dir)
}
