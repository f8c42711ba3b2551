//go:build e2e && linux

// Package localstore holds the tests of secrets/file and secrets/keyring that
// need a file system or a keyring of their own: a full disk, a read-only one,
// gnome-keyring in each of its moods. Each such test runs itself again where
// it finds them.
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

// insideEnv is set in the process that a test runs itself in.
const insideEnv = "E2E_LOCALSTORE_INSIDE"

func inside() bool { return os.Getenv(insideEnv) != "" }

// again prepares a run of the same test, by a command that is given the
// program and its arguments last.
func rerun(t *testing.T, command ...string) *exec.Cmd {
	t.Helper()
	argv := append(command, os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v", "-test.count=1")
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env = append(os.Environ(), insideEnv+"=1")
	return cmd
}

// finish runs the test in the other process, whose verdict it is. Its output
// goes to a file: what it leaves running would keep a pipe open for ever.
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
		out, _ := os.ReadFile(path) // the verdict counts
		t.Errorf("%v\n%s", err, out)
	}
}

// asUser runs the test in user and mount namespaces of its own, so that as
// root it may mount what nobody else sees, and as another user it has no
// privileges, whoever runs the suite.
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

// wantReadOnly: reading works, and all else says that the store cannot be used
// and why.
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
