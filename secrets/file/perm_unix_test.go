//go:build unix

package file_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/mcp-login/mcp-login/secrets"
	"github.com/mcp-login/mcp-login/secrets/file"
)

func TestModes(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0)) // so that new files show the requested mode
	p := newPlace(t)
	s := p.open(t)
	put(t, s, "a", "data")
	unlock, err := s.Lock(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	for _, dir := range []string{p.dir, p.keys} {
		wantMode(t, dir, 0o700)
		for _, name := range dirNames(t, dir) {
			wantMode(t, filepath.Join(dir, name), 0o600)
		}
	}
}

func wantMode(t *testing.T, path string, want os.FileMode) {
	t.Helper()
	info, err := os.Lstat(path)
	if err != nil || info.Mode().Perm() != want {
		t.Errorf("%s: %v, %v, want %v", path, info.Mode(), err, want)
	}
}

// TestOpenToOthers: files that others can read or write are rejected, and the error
// has the command to fix that.
func TestOpenToOthers(t *testing.T) {
	p := newPlace(t)
	put(t, p.open(t), "a", "data")
	for path, want := range map[string]os.FileMode{
		p.dir: 0o700, p.keys: 0o700, p.file(t, p.keys, ""): 0o600,
		filepath.Join(p.dir, "store.json"): 0o600, filepath.Join(p.dir, "record-a"): 0o600,
	} {
		for _, loose := range []os.FileMode{0o040, 0o020, 0o004, 0o001, 0o077} {
			chmod(t, path, want|loose)
			remedy := fmt.Sprintf("%s has mode %04o, which gives other users access; run: chmod %o %s", path, want|loose, want, path)
			wantRejected(t, p.open(t), remedy)
		}
		chmod(t, path, want)
		wantData(t, p.open(t), "a", "data")
	}
	chmod(t, filepath.Join(p.dir, "write.lock"), 0o666)
	if _, err := p.open(t).Put(t.Context(), "a", nil, secrets.Any); !errors.Is(err, secrets.ErrUnavailable) {
		t.Errorf("Put with a lock file that others can hold = %v, want ErrUnavailable", err)
	}
}

// wantRejected checks that nothing is read or written, for this reason.
func wantRejected(t *testing.T, s *file.Store, reason string) {
	t.Helper()
	_, _, getErr := s.Get(t.Context(), "a")
	_, putErr := s.Put(t.Context(), "a", []byte("new"), secrets.Any)
	for method, err := range map[string]error{"Get": getErr, "Put": putErr} {
		if !errors.Is(err, secrets.ErrUnavailable) || !strings.Contains(err.Error(), reason) {
			t.Errorf("%s = %v, want ErrUnavailable and %q", method, err, reason)
		}
	}
}

func TestSymbolicLinks(t *testing.T) {
	p := newPlace(t)
	put(t, p.open(t), "a", "data")
	for _, path := range []string{
		p.dir, p.keys, p.file(t, p.keys, ""), filepath.Join(p.dir, "store.json"), filepath.Join(p.dir, "record-a"),
	} {
		moved := filepath.Join(t.TempDir(), "moved")
		rename(t, path, moved)
		symlink(t, moved, path)
		wantRejected(t, p.open(t), path+" is a symbolic link")
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		rename(t, moved, path)
		wantData(t, p.open(t), "a", "data")
	}
}

// TestPlantedLinks: a symbolic link in place of a file is not written through.
func TestPlantedLinks(t *testing.T) {
	target := filepath.Join(t.TempDir(), "target")
	writeFile(t, target, []byte("precious"))
	p := newPlace(t)
	s := p.open(t)
	put(t, s, "a", "data")

	symlink(t, target, filepath.Join(p.dir, "write.tmp"))
	put(t, s, "a", "new")
	symlink(t, target, filepath.Join(p.dir, "lock-a"))
	if _, err := s.Lock(t.Context(), "a"); !errors.Is(err, secrets.ErrUnavailable) {
		t.Errorf("Lock of a link = %v, want ErrUnavailable", err)
	}
	if got := readFile(t, target); string(got) != "precious" {
		t.Errorf("a link was followed: the target holds %q", got)
	}
}

// TestPipe: a named pipe in place of a file is rejected without waiting for its
// other end.
func TestPipe(t *testing.T) {
	p := newPlace(t)
	put(t, p.open(t), "b", "data")
	path := filepath.Join(p.dir, "record-a")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	wantRejected(t, p.open(t), path+" is not a regular file")
}

// TestForeignOwner needs a folder of another user: root creates one, any other user
// uses one in the root of the file system.
func TestForeignOwner(t *testing.T) {
	dir := "/"
	if os.Geteuid() == 0 {
		dir = t.TempDir()
		chmod(t, dir, 0o700)
		if err := os.Chown(dir, 1, 1); err != nil {
			t.Fatal(err)
		}
	}
	s := place{dir: dir, keys: t.TempDir()}.open(t)
	wantRejected(t, s, dir+" belongs to user ")
}

func chmod(t *testing.T, path string, mode os.FileMode) {
	t.Helper()
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

func rename(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}

func symlink(t *testing.T, to, path string) {
	t.Helper()
	if err := os.Symlink(to, path); err != nil {
		t.Fatal(err)
	}
}
