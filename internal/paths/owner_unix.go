//go:build unix

package paths

import (
	"os"
	"syscall"
)

// Owner returns the user that a file belongs to, and false where that cannot be
// seen.
func Owner(path string) (uid int, ok bool) {
	info, err := os.Stat(path)
	if err != nil {
		return 0, false
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	return int(st.Uid), true
}

// homeVariables say where the home folder is, for an error.
const homeVariables = "HOME or XDG_STATE_HOME"
