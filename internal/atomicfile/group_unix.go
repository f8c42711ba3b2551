//go:build unix

package atomicfile

import (
	"io/fs"
	"os"
	"syscall"
)

// keepGroup gives a file the group of the one at path that it replaces, and returns its
// mode. Where the group cannot be kept, another one gets what all users has.
func keepGroup(f *os.File, path string, mode fs.FileMode) fs.FileMode {
	replaced, err := os.Lstat(path)
	if err != nil {
		return mode // nothing is replaced
	}
	st, ok := replaced.Sys().(*syscall.Stat_t)
	if !ok || f.Chown(-1, int(st.Gid)) == nil {
		return mode
	}
	return mode&^0o070 | mode&0o007<<3
}
