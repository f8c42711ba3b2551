package file

import (
	"errors"
	"io/fs"
	"os"
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

func rename(from, to string) error {
	return untilFree(func() error { return os.Rename(from, to) })
}

func remove(path string) error {
	return untilFree(func() error { return os.Remove(path) })
}

// untilFree repeats a step for up to a second while another program has the file
// open. A virus scanner or an indexer does that for moments, and does not let
// others replace the file meanwhile.
func untilFree(step func() error) error {
	const tries, pause = 100, 10 * time.Millisecond
	for i := 0; ; i++ {
		err := step()
		busy := errors.Is(err, windows.ERROR_ACCESS_DENIED) || errors.Is(err, windows.ERROR_SHARING_VIOLATION)
		if !busy || i == tries {
			return err
		}
		time.Sleep(pause)
	}
}

// syncDir does nothing: Windows cannot flush a folder, and NTFS journals renames.
func syncDir(string) error { return nil }

// modeOf is empty: nobody on Windows knows modes.
func modeOf(fs.FileInfo) string { return "" }
