//go:build unix

package settings

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// writers returns who can have written a file. It follows symbolic links.
func writers(info fs.FileInfo) (writer, error) {
	if mode := info.Mode().Perm(); mode&0o022 != 0 {
		return 0, fmt.Errorf("has mode %04o, so other users can write it; run: chmod go-w", mode)
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	switch {
	case !ok:
		return 0, fmt.Errorf("has no owner")
	case int(st.Uid) == os.Geteuid():
		return ours, nil
	case st.Uid == 0:
		return system, nil
	}
	return 0, fmt.Errorf("belongs to user %d, but you are user %d", st.Uid, os.Geteuid())
}
