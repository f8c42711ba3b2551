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

// checkOwner refuses links only. Windows has no mode bits: the folders of a
// user's profile have an access list that lets in this user, SYSTEM and
// administrators, and new files inherit it.
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

// open opens a file as os.OpenFile does, with two differences: it follows no
// link, and it lets others replace and remove the file meanwhile.
func open(path string, flag int, _ fs.FileMode) (*os.File, error) {
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	const share = windows.FILE_SHARE_READ | windows.FILE_SHARE_WRITE | windows.FILE_SHARE_DELETE
	const attributes = windows.FILE_ATTRIBUTE_NORMAL | windows.FILE_FLAG_OPEN_REPARSE_POINT
	var handle windows.Handle
	err = untilFree(func() (err error) {
		handle, err = windows.CreateFile(name, access(flag), share, nil, creation(flag), attributes, 0)
		return err
	})
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	return os.NewFile(uintptr(handle), path), nil
}

// access is what may be done with a file that was opened with a flag.
func access(flag int) uint32 {
	switch {
	case flag&os.O_RDWR != 0:
		return windows.GENERIC_READ | windows.GENERIC_WRITE
	case flag&os.O_WRONLY != 0:
		return windows.GENERIC_WRITE
	}
	return windows.GENERIC_READ
}

// creation says whether a flag makes a file.
func creation(flag int) uint32 {
	switch {
	case flag&os.O_CREATE == 0:
		return windows.OPEN_EXISTING
	case flag&os.O_EXCL != 0:
		return windows.CREATE_NEW
	}
	return windows.OPEN_ALWAYS
}

// rename renames within one folder as POSIX has it, which os.Rename does not: that
// fails while the old file is open. Where the file system cannot, it tries until
// nobody reads the old file.
func rename(from, to string) error {
	folder, err := os.OpenRoot(filepath.Dir(to))
	if err != nil {
		return err
	}
	defer folder.Close()
	return untilFree(func() error { return folder.Rename(filepath.Base(from), filepath.Base(to)) })
}

func remove(path string) error {
	return untilFree(func() error { return os.Remove(path) })
}

// untilFree repeats a step for up to two seconds while somebody else has the file
// open. Readers, virus scanners and indexers do that for moments.
func untilFree(step func() error) error {
	const limit, longest = 2 * time.Second, 20 * time.Millisecond
	begun := time.Now()
	for pause := time.Millisecond; ; pause = min(2*pause, longest) {
		err := step()
		busy := errors.Is(err, windows.ERROR_ACCESS_DENIED) || errors.Is(err, windows.ERROR_SHARING_VIOLATION)
		if !busy || time.Since(begun) > limit {
			return err
		}
		time.Sleep(pause/2 + rand.N(pause)) // random, so that it does not march in step with a reader
	}
}

// syncDir does nothing: Windows cannot flush a folder, and NTFS journals renames.
func syncDir(string) error { return nil }

// modeOf is empty: nobody on Windows knows modes.
func modeOf(fs.FileInfo) string { return "" }
