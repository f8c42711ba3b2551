package file

import (
	"errors"
	"io/fs"
	"path/filepath"
)

// Folder is a folder of small files that are this user's alone: it has mode
// 0700 and its files 0600. One that is open to others, belongs to another user
// or is a symbolic link is refused with secrets.ErrUnavailable.
type Folder struct {
	Dir string // made when something is written
}

// Path returns the path of a file in the folder.
func (f Folder) Path(name string) string { return filepath.Join(f.Dir, name) }

// Read returns a file. A missing one, or a missing folder, is fs.ErrNotExist.
func (f Folder) Read(name string) ([]byte, error) {
	if err := checkDir(f.Dir); err != nil {
		return nil, err
	}
	return readFile(f.Path(name), maxHeader)
}

// Write replaces a file so that at every instant, and after a loss of power,
// there is the old content or the new.
func (f Folder) Write(name string, data []byte) error {
	if err := makeDir(f.Dir); err != nil {
		return err
	}
	path := f.Path(name)
	return writeFile(path, path+".tmp", data)
}

// Remove removes a file if it is there.
func (f Folder) Remove(name string) error {
	if err := remove(f.Path(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return unavailable(err)
	}
	return syncDir(f.Dir)
}
