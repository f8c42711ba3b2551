// Package atomicfile replaces files so that a reader sees the old content or the
// new. It must not know what a file holds, nor who may read it beyond its mode.
package atomicfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// Write makes data the content of a file, whose folder must be there. A file that
// is replaced gets the mode too, and keeps its group if this user may give it away. On
// error the old content stays, and nothing else is left.
func Write(path string, data []byte, mode fs.FileMode) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Chmod(keepGroup(f, path, mode)), f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}
