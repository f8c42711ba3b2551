//go:build unix

package privsock_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"

	"github.com/mcp-login/mcp-login/internal/privsock"
)

// TestUmaskIsLeftAlone: files that other goroutines create while a socket is
// created get their intended mode.
func TestUmaskIsLeftAlone(t *testing.T) {
	umask := syscall.Umask(0)
	defer syscall.Umask(umask)
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	var making sync.WaitGroup
	making.Go(func() {
		defer close(done)
		for range 200 {
			l, remove, err := privsock.Listen(filepath.Join(dir, "s"))
			if err != nil {
				t.Error(err)
				return
			}
			info, err := os.Lstat(filepath.Join(dir, "s"))
			if err != nil || info.Mode() != fs.ModeSocket|0o600 {
				t.Errorf("the socket is %v, %v", info, err)
			}
			l.Close()
			remove()
		}
	})
	for i := 0; ; i++ {
		select {
		case <-done:
			return
		default:
		}
		path := filepath.Join(dir, "file")
		if err := os.WriteFile(path, nil, 0o666); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(path); err != nil || info.Mode() != 0o666 {
			t.Fatalf("file %d has mode %v, %v", i, info.Mode(), err)
		}
		os.Remove(path)
	}
}

// TestSocketInUse: a socket in use is kept, and a leftover socket is replaced.
func TestSocketInUse(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	l, remove, err := privsock.Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := privsock.Listen(path); !errors.Is(err, privsock.ErrTaken) {
		t.Errorf("Listen beside a running process = %v, want ErrTaken", err)
	}
	l.Close() // like a killed process: the file stays
	again, _, err := privsock.Listen(path)
	if err != nil {
		t.Fatalf("Listen after a dead process: %v", err)
	}
	defer again.Close()
	remove()
	if _, err := os.Lstat(path); err != nil {
		t.Errorf("the first process's remove function removed the new socket: %v", err)
	}
}

// TestAbstractName: an abstract socket, to which every user can connect, is not
// private.
func TestAbstractName(t *testing.T) {
	for _, path := range []string{"", "@name", "@/tmp/name"} {
		l, remove, err := privsock.Listen(path)
		if _, ok := errors.AsType[*privsock.PathError](err); !ok {
			t.Errorf("Listen(%q): %v", path, err)
			if err == nil {
				l.Close()
				remove()
			}
		}
	}
}

// TestOtherUsersSocket: a socket of another user is rejected and kept, whether it
// is in use or not. Only root can create one.
func TestOtherUsersSocket(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can create sockets of other users")
	}
	path := filepath.Join(t.TempDir(), "s")
	l, _, err := privsock.Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(path, 54321, -1); err != nil {
		t.Fatal(err)
	}
	for _, alive := range []bool{true, false} {
		_, _, err := privsock.Listen(path)
		if owner, ok := errors.AsType[*privsock.OwnerError](err); !ok || owner.UID != 54321 {
			t.Errorf("alive %t: %v", alive, err)
		}
		l.Close()
	}
	if info, err := os.Lstat(path); err != nil || info.Sys().(*syscall.Stat_t).Uid != 54321 {
		t.Errorf("the socket: %v, %v", info, err)
	}
}
