package file

import (
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/windows"
)

// checkOwner rejects only links. Windows has no mode bits: the ACL of a user's
// profile grants access to this user, SYSTEM and administrators, and new files
// inherit it.
func checkOwner(path string, _ fs.FileInfo, _ fs.FileMode) error {
	info, err := os.Lstat(path)
	if err != nil {
		return unavailable(err)
	}
	if info.Mode()&(fs.ModeSymlink|fs.ModeIrregular) != 0 {
		return unsafeFile(path, info, "not a plain file or folder")
	}
	return nil
}

// open is os.OpenFile with two differences: it does not follow links, and it
// allows other processes to replace and remove the open file.
func open(path string, flag int, _ fs.FileMode) (*os.File, error) {
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	const share = windows.FILE_SHARE_READ | windows.FILE_SHARE_WRITE | windows.FILE_SHARE_DELETE
	const attributes = windows.FILE_ATTRIBUTE_NORMAL | windows.FILE_FLAG_OPEN_REPARSE_POINT
	var handle windows.Handle
	err = retryWhileInUse(func() (err error) {
		handle, err = windows.CreateFile(name, access(flag), share, nil, creation(flag), attributes, 0)
		return err
	})
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	return os.NewFile(uintptr(handle), path), nil
}

// access returns the access rights for a flag of os.OpenFile.
func access(flag int) uint32 {
	switch {
	case flag&os.O_RDWR != 0:
		return windows.GENERIC_READ | windows.GENERIC_WRITE
	case flag&os.O_WRONLY != 0:
		return windows.GENERIC_WRITE
	}
	return windows.GENERIC_READ
}

// creation returns the creation disposition for a flag of os.OpenFile.
func creation(flag int) uint32 {
	switch {
	case flag&os.O_CREATE == 0:
		return windows.OPEN_EXISTING
	case flag&os.O_EXCL != 0:
		return windows.CREATE_NEW
	}
	return windows.OPEN_ALWAYS
}

// rename renames within one folder with POSIX semantics, unlike os.Rename, which
// fails while the old file is open. If the file system does not support that, it
// retries until no process has the old file open.
func rename(from, to string) error {
	folder, err := os.OpenRoot(filepath.Dir(to))
	if err != nil {
		return err
	}
	defer folder.Close()
	return retryWhileInUse(func() error { return folder.Rename(filepath.Base(from), filepath.Base(to)) })
}

func remove(path string) error {
	return retryWhileInUse(func() error { return os.Remove(path) })
}

// retryWhileInUse retries a step for up to two seconds while another process, such as a
// virus scanner or indexer, has the file open.
func retryWhileInUse(step func() error) error {
	const limit, longest = 2 * time.Second, 20 * time.Millisecond
	begun := time.Now()
	for backoff := time.Millisecond; ; backoff = min(2*backoff, longest) {
		err := step()
		busy := errors.Is(err, windows.ERROR_ACCESS_DENIED) || errors.Is(err, windows.ERROR_SHARING_VIOLATION)
		if !busy || time.Since(begun) > limit {
			return err
		}
		time.Sleep(backoff/2 + rand.N(backoff)) // jitter, so that retries do not coincide with a periodic reader
	}
}

// syncDir does nothing: Windows cannot flush a folder, and NTFS journals renames.
func syncDir(string) error { return nil }

// modeOf returns "", because Windows has no file modes.
func modeOf(fs.FileInfo) string { return "" }
