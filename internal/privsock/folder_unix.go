//go:build unix

package privsock

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"github.com/mcp-login/mcp-login/internal/suggest"
)

// CheckFolder refuses a folder in which another user can replace a file of this
// program. Parameter what names that file in the error. In one with the sticky
// bit, as /tmp has it, they cannot. Who can move the folder itself is not asked.
func CheckFolder(dir, what string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	if mode := info.Mode(); mode.Perm()&0o022 != 0 && mode&fs.ModeSticky == 0 {
		return fmt.Errorf("other users can write to the folder %s (mode %04o) and replace %s; run: %s", dir, mode.Perm(), what, suggest.Command{"chmod", "go-w", dir})
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if ok && st.Uid != 0 && int(st.Uid) != os.Geteuid() {
		return fmt.Errorf("the folder %s belongs to user %d, who can replace %s", dir, st.Uid, what)
	}
	return nil
}
