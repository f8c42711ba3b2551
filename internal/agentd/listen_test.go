//go:build linux || darwin || freebsd

package agentd_test

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/mcp-login/mcp-login/internal/agentd"
	"github.com/mcp-login/mcp-login/internal/exit"
)

// TestListenTwice: a running agent keeps its socket, the socket of a dead one is
// replaced, and a file that is not a socket is kept.
func TestListenTwice(t *testing.T) {
	path, _ := start(t)
	if _, _, err := agentd.Listen(path); err == nil || !strings.Contains(err.Error(), "an agent is already running there") {
		t.Errorf("beside a running agent: %v", err)
	}
	dead := filepath.Join(t.TempDir(), "s")
	l, _, err := agentd.Listen(dead)
	if err != nil {
		t.Fatal(err)
	}
	l.Close() // like a killed process: the file stays
	l, remove, err := agentd.Listen(dead)
	if err != nil {
		t.Fatalf("after a dead agent: %v", err)
	}
	l.Close()
	remove()
	if err := os.WriteFile(dead, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := agentd.Listen(dead); err == nil {
		t.Error("a file was replaced")
	}
	if text, err := os.ReadFile(dead); err != nil || string(text) != "mine" {
		t.Errorf("the file: %q, %v", text, err)
	}
}

// TestListenBesideABusyAgent: an agent that does not accept connections for a while,
// for example a stopped process, does not count as dead.
func TestListenBesideABusyAgent(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(fd)
	if err := syscall.Bind(fd, &syscall.SockaddrUnix{Name: path}); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Listen(fd, 0); err != nil {
		t.Fatal(err)
	}
	for { // fill its accept queue
		c, err := net.Dial("unix", path)
		if err != nil {
			if strings.Contains(err.Error(), "refused") {
				t.Skip("on this system a full queue looks like a dead agent")
			}
			break
		}
		defer c.Close()
	}
	before, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := agentd.Listen(path); err == nil || !strings.Contains(err.Error(), "may still be in use") {
		t.Errorf("%v", err)
	}
	if now, err := os.Lstat(path); err != nil || !os.SameFile(before, now) {
		t.Errorf("its socket was replaced: %v", err)
	}
}

// TestConcurrentListen: if several agents start at the same time where the socket of a
// dead one exists, exactly one succeeds.
func TestConcurrentListen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	for round := range 20 {
		dead, _, err := agentd.Listen(path)
		if err != nil {
			t.Fatal(err)
		}
		dead.Close()
		var won atomic.Int32
		var all sync.WaitGroup
		removes := make(chan func(), 8)
		for range cap(removes) {
			all.Go(func() {
				l, remove, err := agentd.Listen(path)
				if err != nil {
					return
				}
				won.Add(1)
				removes <- func() { l.Close(); remove() }
			})
		}
		all.Wait()
		close(removes)
		for remove := range removes {
			remove()
		}
		if won.Load() != 1 {
			t.Fatalf("round %d: %d agents listen", round, won.Load())
		}
	}
}

// TestLongPath: a path that is too long for clients is rejected, and the error says
// the maximum length.
func TestLongPath(t *testing.T) {
	top := t.TempDir()
	long := filepath.Join(top, strings.Repeat("d", 100))
	for _, path := range []string{
		filepath.Join(long, "s"),
		filepath.Join(top, strings.Repeat("n", 104-len(top))),
		filepath.Join(top, strings.Repeat("d", 98-len(top)), "s"), // short enough, except for the temporary folder of the new socket
	} {
		if _, _, err := agentd.Listen(path); err == nil || !strings.Contains(err.Error(), "too long") || !strings.Contains(err.Error(), "the maximum is") {
			t.Errorf("%d bytes: %v", len(path), err)
		}
	}
	if files, err := os.ReadDir(top); err != nil || len(files) != 0 {
		t.Errorf("left behind: %v, %v", files, err)
	}
	longest := filepath.Join(top, strings.Repeat("n", 102-len(top)))
	l, remove, err := agentd.Listen(longest)
	if err != nil {
		t.Fatalf("%d bytes: %v", len(longest), err)
	}
	defer remove()
	defer l.Close()
	c, err := net.Dial("unix", longest)
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
}

// TestListenWhereOthersWrite: in a folder that others can write to, anyone could
// replace the socket.
func TestListenWhereOthersWrite(t *testing.T) {
	for mode, allowed := range map[os.FileMode]bool{0o777: false, 0o775: false, 0o755: true, 0o777 | os.ModeSticky: true} {
		dir := t.TempDir()
		if err := os.Chmod(dir, mode); err != nil {
			t.Fatal(err)
		}
		l, remove, err := agentd.Listen(filepath.Join(dir, "s"))
		if (err == nil) != allowed || err != nil && !strings.Contains(err.Error(), "chmod go-w") {
			t.Errorf("in a folder of mode %s: %v", mode, err)
		}
		if err == nil {
			l.Close()
			remove()
		}
	}
}

// TestListenAtUnusablePath: a path that cannot be a socket is a usage error of the
// flag.
func TestListenAtUnusablePath(t *testing.T) {
	path := filepath.Join(t.TempDir(), strings.Repeat("x", 120))
	_, _, err := agentd.Listen(path)
	if _, usage := errors.AsType[exit.UsageError](err); !usage || !strings.Contains(err.Error(), "too long for a socket") {
		t.Errorf("%T: %v", err, err)
	}
}
