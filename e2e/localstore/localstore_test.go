//go:build e2e && linux

// Package localstore has the tests of secrets/file and secrets/keyring that need a
// special file system or keyring: a full disk, a read-only disk, and gnome-keyring
// unlocked, locked, stopped and absent. Each such test runs itself again in that
// environment.
package localstore

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/mcp-login/mcp-login/secrets"
	"github.com/mcp-login/mcp-login/secrets/file"
)

// insideEnv is set in the process in which a test runs itself again.
const insideEnv = "E2E_LOCALSTORE_INSIDE"

func inside() bool { return os.Getenv(insideEnv) != "" }

// rerun returns a command that runs the same test. The program and its arguments are
// added to command.
func rerun(t *testing.T, command ...string) *exec.Cmd {
	t.Helper()
	argv := append(command, os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v", "-test.count=1")
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env = append(os.Environ(), insideEnv+"=1")
	return cmd
}

// runOther runs the test in the other process, whose result counts. Its output goes to
// a file, because processes that it leaves running would keep a pipe open forever.
func runOther(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "output")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	cmd.Stdout, cmd.Stderr = f, f
	if err := cmd.Run(); err != nil {
		out, _ := os.ReadFile(path) // the result counts, so a missing output is no error
		t.Errorf("%v\n%s", err, out)
	}
}

// runAsUser runs the test in separate user and mount namespaces. There, root can mount
// file systems that other processes do not see, and another user has no privileges,
// regardless of the user that runs the tests.
func runAsUser(t *testing.T, uid int) {
	t.Helper()
	cmd := rerun(t)
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: uid, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: uid, HostID: os.Getgid(), Size: 1}},
	}
	runOther(t, cmd)
}

func mount(t *testing.T, options string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, options+",mode=700"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	return dir
}

func openStore(t *testing.T, root string) *file.Store {
	t.Helper()
	return openWith(t, root, file.KeyFile{Dir: filepath.Join(root, "keys")})
}

func openWith(t *testing.T, root string, k file.Keeper) *file.Store {
	t.Helper()
	s, err := file.Open(file.Config{Dir: filepath.Join(root, "data"), Keeper: k})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func put(t *testing.T, s secrets.Store, name, data string) {
	t.Helper()
	if _, err := s.Put(t.Context(), name, []byte(data), secrets.Any); err != nil {
		t.Fatal(err)
	}
}

func checkData(t *testing.T, s secrets.Store, name, want string) {
	t.Helper()
	got, _, err := s.Get(t.Context(), name)
	if string(got) != want || err != nil {
		t.Errorf("Get(%q) = %d bytes, %v, want %d", name, len(got), err, len(want))
	}
}

// checkReadOnly checks that reads work, and that everything else reports that the store
// cannot be used, with the cause.
func checkReadOnly(t *testing.T, s *file.Store, cause error) {
	t.Helper()
	checkData(t, s, "a", "data")
	if names, err := s.List(t.Context()); len(names) != 1 || err != nil {
		t.Errorf("List = %q, %v", names, err)
	}
	_, putErr := s.Put(t.Context(), "a", []byte("new"), secrets.Any)
	_, lockErr := s.Lock(t.Context(), "b")
	for method, err := range map[string]error{
		"Put": putErr, "Lock": lockErr, "Probe": s.Probe(t.Context()), "Delete": s.Delete(t.Context(), "a", secrets.Any),
	} {
		if !errors.Is(err, secrets.ErrUnavailable) || !errors.Is(err, cause) {
			t.Errorf("%s = %v, want ErrUnavailable for %v", method, err, cause)
		}
	}
	checkData(t, s, "a", "data")
}
