//go:build unix

package paths

import (
	"os"
	"syscall"
)

// Owner returns the owner of a file, and false if unknown.
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

// homeVariables names the variables of the home folder, for an error.
const homeVariables = "HOME or XDG_STATE_HOME"
