//go:build e2e && linux

package localstore

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/mcp-login/mcp-login/secrets"
)

const page = 4 << 10 // the allocation unit of tmpfs

// TestDiskFull writes with less and less free space: a write succeeds, or it reports
// that the disk is full and keeps the old record.
func TestDiskFull(t *testing.T) {
	if !inside() {
		runAsUser(t, 0)
		return
	}
	const pages = 32
	root := mount(t, "size=128k")
	s := openStore(t, root)
	value := strings.Repeat("old ", 3*page/4)
	put(t, s, "a", value)

	full := 0
	for used := range pages {
		fill(t, root, used*page)
		next := strings.Repeat("new ", 3*page/4+used)
		_, err := s.Put(t.Context(), "a", []byte(next), secrets.Any)
		switch {
		case err == nil:
			value = next
		case errors.Is(err, syscall.ENOSPC) && errors.Is(err, secrets.ErrUnavailable):
			full++
		default:
			t.Errorf("Put with %d pages used = %v, want ENOSPC", used, err)
		}
		checkData(t, openStore(t, root), "a", value)
	}
	if full < 5 || full > pages-5 {
		t.Errorf("the disk was full in %d of %d writes, so the test proves little", full, pages)
	}
	if err := s.Probe(t.Context()); !errors.Is(err, secrets.ErrUnavailable) {
		t.Errorf("Probe of a full disk = %v, want ErrUnavailable", err)
	}
	if err := s.Delete(t.Context(), "a", secrets.Any); err != nil {
		t.Errorf("Delete on a full disk: %v", err)
	}
	fill(t, root, 0)
	put(t, s, "a", value)
	checkData(t, s, "a", value)
}

// TestCreateOnFullDisk: a store that could not be created can be created later.
func TestCreateOnFullDisk(t *testing.T) {
	if !inside() {
		runAsUser(t, 0)
		return
	}
	const pages = 8
	for used := pages; used >= 0; used-- {
		root := mount(t, "size=32k")
		fill(t, root, used*page)
		_, err := openStore(t, root).Put(t.Context(), "a", []byte("data"), secrets.Absent)
		if err == nil {
			checkData(t, openStore(t, root), "a", "data")
			continue
		}
		if !errors.Is(err, syscall.ENOSPC) || !errors.Is(err, secrets.ErrUnavailable) {
			t.Errorf("Put with %d pages used = %v, want ENOSPC", used, err)
		}
		fill(t, root, 0)
		put(t, openStore(t, root), "a", "data")
		checkData(t, openStore(t, root), "a", "data")
	}
}

// fill writes a file of this size, or as large as possible.
func fill(t *testing.T, root string, size int) {
	t.Helper()
	err := os.WriteFile(filepath.Join(root, "fill"), make([]byte, size), 0o600)
	if err != nil && !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
}

func TestReadOnlyDisk(t *testing.T) {
	if !inside() {
		runAsUser(t, 0)
		return
	}
	root := mount(t, "size=1m")
	put(t, openStore(t, root), "a", "data")
	if err := syscall.Mount("", root, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	checkReadOnly(t, openStore(t, root), syscall.EROFS)
	_, err := openStore(t, filepath.Join(root, "new")).Put(t.Context(), "a", nil, secrets.Any)
	if !errors.Is(err, secrets.ErrUnavailable) || !errors.Is(err, syscall.EROFS) {
		t.Errorf("Put into a new store = %v, want ErrUnavailable for EROFS", err)
	}
}

func TestNoPermission(t *testing.T) {
	if !inside() {
		runAsUser(t, 1000)
		return
	}
	root := t.TempDir()
	data := filepath.Join(root, "data")
	put(t, openStore(t, root), "a", "data")
	if err := os.Remove(filepath.Join(data, "write.lock")); err != nil {
		t.Fatal(err)
	}
	chmod(t, data, 0o500)
	checkReadOnly(t, openStore(t, root), syscall.EACCES)

	chmod(t, data, 0o000)
	defer chmod(t, data, 0o700)
	s := openStore(t, root)
	_, _, getErr := s.Get(t.Context(), "a")
	_, listErr := s.List(t.Context())
	for method, err := range map[string]error{"Get": getErr, "List": listErr} {
		if !errors.Is(err, secrets.ErrUnavailable) {
			t.Errorf("%s without permission = %v, want ErrUnavailable", method, err)
		}
	}
}

func chmod(t *testing.T, path string, mode os.FileMode) {
	t.Helper()
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}
