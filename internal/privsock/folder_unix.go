//go:build unix

package privsock

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// checkFolder refuses a folder in which another user can put a socket in the
// place of ours. In one with the sticky bit, as /tmp has it, they cannot. Who can
// move the folder itself is not asked.
func checkFolder(dir string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	if mode := info.Mode(); mode.Perm()&0o022 != 0 && mode&fs.ModeSticky == 0 {
		return fmt.Errorf("others can write the folder %s (mode %04o), and replace the socket; run: chmod go-w %s", dir, mode.Perm(), dir)
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if ok && st.Uid != 0 && int(st.Uid) != os.Geteuid() {
		return fmt.Errorf("the folder %s belongs to user %d, who can replace the socket", dir, st.Uid)
	}
	return nil
}
