//go:build unix

package file_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mcp-login/mcp-login/secrets"
)

// holdLock locks a file of the store like a process that was suspended during a write.
func holdLock(t *testing.T, path, text string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(text); err != nil {
		t.Fatal(err)
	}
}

// TestStoppedWriter: waiting for a suspended process with the write lock is limited
// and reported.
func TestStoppedWriter(t *testing.T) {
	for name, text := range map[string]string{"signed": "\nprocess 4242 on build-7\n", "of an older version": "", "hostile": "\x1b]0;x\x07\n"} {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t)
			if _, err := p.open(t).Put(t.Context(), "a", []byte("one"), secrets.Absent); err != nil {
				t.Fatal(err)
			}
			holder := "another process"
			if name == "signed" {
				holder = "process 4242 on build-7"
			}
			holdLock(t, filepath.Join(p.dir, "write.lock"), text)
			synctest.Test(t, func(t *testing.T) {
				var notices []string
				ctx := secrets.WithNotice(t.Context(), func(text string) { notices = append(notices, text) })
				s := p.open(t)
				for method, call := range map[string]func() error{
					"Put":    func() error { _, err := s.Put(ctx, "a", []byte("two"), secrets.Any); return err },
					"Delete": func() error { return s.Delete(ctx, "a", secrets.Any) },
					"Probe":  func() error { return s.Probe(ctx) },
				} {
					notices = nil
					start := time.Now()
					err := call()
					if !errors.Is(err, secrets.ErrTemporary) || !strings.Contains(err.Error(), "is still locked by "+holder+" after ") {
						t.Errorf("%s = %v, want ErrTemporary with the holder of the lock", method, err)
					}
					if took := time.Since(start); took > 30*time.Second {
						t.Errorf("%s took %s", method, took)
					}
					if want := "waiting for " + holder + ", which has locked store " + p.dir; len(notices) != 1 || notices[0] != want {
						t.Errorf("%s reported %q, want %q", method, notices, want)
					}
				}
				cancelled, cancel := context.WithTimeout(ctx, time.Second)
				defer cancel()
				if _, err := s.Put(cancelled, "a", nil, secrets.Any); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, secrets.ErrTemporary) {
					t.Errorf("Put of a caller with less time = %v, want context.DeadlineExceeded", err)
				}
			})
			if data, _, err := p.open(t).Get(t.Context(), "a"); err != nil || string(data) != "one" {
				t.Errorf("Get = %q, %v: reading needs no lock", data, err)
			}
		})
	}
}

// TestLockNamesItsHolder: a process that waits for a record's lock reports who
// holds it.
func TestLockNamesItsHolder(t *testing.T) {
	p := newPlace(t)
	unlock, err := p.open(t).Lock(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	me := fmt.Sprintf("process %d on %s", os.Getpid(), host)
	synctest.Test(t, func(t *testing.T) {
		var notices []string
		ctx, cancel := context.WithTimeout(secrets.WithNotice(t.Context(), func(text string) { notices = append(notices, text) }), 90*time.Second)
		defer cancel()
		_, err := p.open(t).Lock(ctx, "a")
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), `record "a" is still locked by `+me+" after 1m30s") {
			t.Errorf("Lock = %v", err)
		}
		if want := fmt.Sprintf("waiting for %s, which has locked record %q", me, "a"); len(notices) != 1 || notices[0] != want {
			t.Errorf("reported %q, want %q", notices, want)
		}
	})
}
