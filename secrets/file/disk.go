package file

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/mcp-login/mcp-login/secrets"
)

const (
	dirMode  fs.FileMode = 0o700
	fileMode fs.FileMode = 0o600
)

// checkDir returns an error if others can access the folder. A missing one is
// fs.ErrNotExist.
func checkDir(dir string) error {
	info, err := os.Lstat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err != nil {
		return unavailable(err)
	}
	if !info.IsDir() {
		return unsafeFile(dir, info, "not a folder")
	}
	return checkOwner(dir, info, dirMode)
}

// makeDir creates a folder durably if it is missing.
func makeDir(dir string) error {
	err := checkDir(dir)
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.MkdirAll(dir, dirMode); err != nil {
		return unavailable(err)
	}
	if err := syncDir(filepath.Dir(dir)); err != nil {
		return err
	}
	return checkDir(dir)
}

// readFile reads a file after checking that others cannot access it. A missing
// one is fs.ErrNotExist.
func readFile(path string, limit int64) ([]byte, error) {
	f, err := openFile(path, os.O_RDONLY)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, unavailable(err)
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("%w: %s is larger than %d bytes", secrets.ErrUndecryptable, path, limit)
	}
	return data, nil
}

// openFile opens a regular file after checking that others cannot access it. It
// does not follow links and does not block on pipes.
func openFile(path string, flag int) (*os.File, error) {
	f, err := open(path, flag, fileMode)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err != nil {
		return nil, openError(path, err)
	}
	info, err := f.Stat()
	if err == nil {
		err = checkFile(path, info)
	} else {
		err = unavailable(err)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// openError explains why a file could not be opened: the errno of O_NOFOLLOW
// differs between systems.
func openError(path string, err error) error {
	if info, statErr := os.Lstat(path); statErr == nil && !info.Mode().IsRegular() {
		return unsafeFile(path, info, "not a regular file")
	}
	return unavailable(err)
}

func checkFile(path string, info fs.FileInfo) error {
	if !info.Mode().IsRegular() {
		return unsafeFile(path, info, "not a regular file")
	}
	return checkOwner(path, info, fileMode)
}

// writeFile replaces a file atomically and durably: after a crash or power loss
// it has the old content or the new. Two writers must not use the same temp
// file at once; a leftover of a killed writer is removed.
func writeFile(path, temp string, data []byte) (err error) {
	if err := remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return unavailable(err)
	}
	defer func() {
		if err != nil {
			err = unavailable(err)
			os.Remove(temp) // best effort: the next write removes it too
		}
	}()
	if err := writeNew(temp, data); err != nil {
		return err
	}
	if err := rename(temp, path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

func writeNew(path string, data []byte) error {
	f, err := open(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// OwnerError means that a folder or file of the store belongs to another user. It is a
// secrets.ErrUnavailable.
type OwnerError struct {
	Path string
	UID  int // of the owner
}

func (e *OwnerError) Error() string {
	return fmt.Sprintf("%v: %s belongs to user %d, but you are user %d", secrets.ErrUnavailable, e.Path, e.UID, os.Geteuid())
}

// Is makes errors.Is(err, secrets.ErrUnavailable) true.
func (e *OwnerError) Is(target error) bool { return target == secrets.ErrUnavailable }

// LinkError means that a folder or file of the store is a symbolic link. Links are
// never followed. It is a secrets.ErrUnavailable.
type LinkError struct {
	Path string
	mode fs.FileMode
}

func (e *LinkError) Error() string {
	return fmt.Sprintf("%v: %s is a symbolic link, which is never followed (%s)", secrets.ErrUnavailable, e.Path, e.mode)
}

// Is makes errors.Is(err, secrets.ErrUnavailable) true.
func (e *LinkError) Is(target error) bool { return target == secrets.ErrUnavailable }

// KeeperError means that the key of the store is kept by another kind of keeper. It is a
// secrets.ErrUnavailable.
type KeeperError struct{ Dir, Kept, Asked string }

func (e *KeeperError) Error() string {
	return fmt.Sprintf("%v: the key of %s is kept by %s, not by %s", secrets.ErrUnavailable, e.Dir, e.Kept, e.Asked)
}

// Is makes errors.Is(err, secrets.ErrUnavailable) true.
func (e *KeeperError) Is(target error) bool { return target == secrets.ErrUnavailable }

// unsafeFile returns the error for a file that is not of the expected type.
func unsafeFile(path string, info fs.FileInfo, why string) error {
	if info.Mode()&fs.ModeSymlink != 0 {
		return &LinkError{Path: path, mode: info.Mode()}
	}
	return fmt.Errorf("%w: %s is %s%s", secrets.ErrUnavailable, path, why, modeOf(info))
}

func unavailable(err error) error {
	if errors.Is(err, secrets.ErrUnavailable) {
		return err
	}
	return fmt.Errorf("%w: %w", secrets.ErrUnavailable, err)
}
