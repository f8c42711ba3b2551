// Package otheruser runs a test binary as another user, for tests of which user may
// connect to which. It must not know what is tested.
package otheruser

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// Nobody is a user without files.
const Nobody = 65534

// Program copies the test binary into dir, which every user may then enter.
func Program(t *testing.T, dir string) string {
	t.Helper()
	file := filepath.Join(dir, "program")
	self, err := os.ReadFile("/proc/self/exe")
	if err == nil {
		err = os.WriteFile(file, self, 0o755)
	}
	for ; err == nil && dir != os.TempDir(); dir = filepath.Dir(dir) {
		err = os.Chmod(dir, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// Attributes make a command run as the user, which requires root.
func Attributes(uid int) *syscall.SysProcAttr {
	if uid == os.Geteuid() {
		return nil
	}
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(uid)}}
}
