package file

import (
	"errors"
	"io/fs"
	"os"
	"time"

	"golang.org/x/sys/windows"
)

const openFlags = 0

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

// rename tries for a while: Windows replaces no file that somebody has open,
// and a reader, a virus scanner or an indexer has it open for moments.
func rename(from, to string) error {
	const tries, pause = 100, 10 * time.Millisecond
	for i := 0; ; i++ {
		err := os.Rename(from, to)
		busy := errors.Is(err, windows.ERROR_ACCESS_DENIED) || errors.Is(err, windows.ERROR_SHARING_VIOLATION)
		if !busy || i == tries {
			return err
		}
		time.Sleep(pause)
	}
}

// syncDir does nothing: Windows cannot flush a folder, and NTFS journals renames.
func syncDir(string) error { return nil }
