//go:build unix

package atomicfile

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// TestWriteKeepsGroup: users in the file's group can still read it.
func TestWriteKeepsGroup(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can set any group")
	}
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, nil, 0o640); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(path, -1, 54321); err != nil {
		t.Fatal(err)
	}
	if err := Write(path, []byte("x"), 0o640); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode() != 0o640 || info.Sys().(*syscall.Stat_t).Gid != 54321 {
		t.Errorf("%v, %+v, %v", info.Mode(), info.Sys(), err)
	}
}
