//go:build unix

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestFolderOfAnotherUserIsNamed: if `sudo -E` created a folder in the user's home
// as root, the error names that folder.
func TestFolderOfAnotherUserIsNamed(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can be another user")
	}
	const user = 12345
	base, err := os.MkdirTemp("", "home-*")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(base) })
	program, home, other := filepath.Join(base, "mcp-login"), filepath.Join(base, "it's home"), filepath.Join(base, "other")
	binary, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Skip(err)
	}
	for _, err := range []error{
		os.Chmod(base, 0o755), os.WriteFile(program, binary, 0o755), os.Mkdir(home, 0o755), os.Chown(home, user, user), os.Mkdir(other, 0o700),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		made, mode, home, want string
	}{
		{".local", "700", home, `hint: ` + home + `/.local in your folder belongs to user 0: sudo chown -R "$(id -u):$(id -g)" '` + base + `/it'\''s home/.local'`},
		{".local", "755", home, `hint: ` + home + `/.local in your folder`},
		{".local/share", "755", home, `hint: ` + home + `/.local in your folder`},
		{".config", "700", home, `hint: ` + home + `/.config in your folder`},
		{"of-root", "755", home + "/of-root", `hint: ` + home + `/of-root in your folder`},
		{"x", "700", other, `hint: ` + other + ` belongs to user 0, but you are user 12345`},
	} {
		top := filepath.Join(home, strings.Split(tt.made, "/")[0])
		made := filepath.Join(home, tt.made)
		if out, err := exec.Command("sh", "-c", `mkdir -p "$1" && chmod "$2" "$1"`, "sh", made, tt.mode).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		cmd := exec.CommandContext(t.Context(), program, "login", "a", "http://127.0.0.1:1/mcp")
		cmd.Dir = "/"
		cmd.Env = []string{"HOME=" + tt.home, "PATH=" + os.Getenv("PATH")}
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: user, Gid: user}}
		out, err := cmd.CombinedOutput()
		if err == nil || !strings.Contains(string(out), "permission denied\n"+tt.want) {
			t.Errorf("%s of mode %s: %v, %s\nwant %s", tt.made, tt.mode, err, out, tt.want)
		}
		if err := os.RemoveAll(top); err != nil {
			t.Fatal(err)
		}
	}
}
