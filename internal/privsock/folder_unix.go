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
// program. Parameter what names that file in the error. In a folder with the
// sticky bit, such as /tmp, they cannot. It does not check who can rename the
// folder itself.
func CheckFolder(dir, what string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	if mode := info.Mode(); mode.Perm()&0o022 != 0 && mode&fs.ModeSticky == 0 {
		return fmt.Errorf("other users can write to the folder %s (mode %04o) and replace %s; run: %s", dir, mode.Perm(), what, suggest.Command{"chmod", "go-w", dir})
	}
	if uid, known := owner(info); known && uid != 0 && uid != os.Geteuid() {
		return fmt.Errorf("the folder %s belongs to user %d, who can replace %s", dir, uid, what)
	}
	return nil
}

// owner returns the user that a file belongs to, and false where that cannot be seen.
func owner(info fs.FileInfo) (uid int, known bool) {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	return int(st.Uid), true
}
