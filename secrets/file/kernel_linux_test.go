package file_test

import (
	"context"
	"errors"
	"os/exec"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mcp-login/mcp-login/internal/await"
	"github.com/mcp-login/mcp-login/secrets"
	"github.com/mcp-login/mcp-login/secrets/file"
)

// countingKeeper is a passphrase keeper that counts prompts.
func countingKeeper(prompts *atomic.Int32) file.Passphrase {
	return file.Passphrase{Read: func(context.Context) ([]byte, error) {
		prompts.Add(1)
		return []byte("pw"), nil
	}}
}

func TestKernelCache(t *testing.T) {
	var prompts atomic.Int32
	passphrase := countingKeeper(&prompts)
	p := newPlace(t)
	wantAsked := func(want int32) {
		t.Helper()
		wantData(t, p.openWith(t, file.KernelCache{Keeper: passphrase}), "a", "data")
		if got := prompts.Swap(0); got != want {
			t.Errorf("%d prompts, want %d", got, want)
		}
	}
	cache := file.KernelCache{Keeper: passphrase, For: time.Hour}
	if err := p.openWith(t, cache).Unlock(t.Context()); !errors.Is(err, secrets.ErrNotFound) {
		t.Errorf("Unlock of no store = %v, want ErrNotFound", err)
	}
	put(t, p.openWith(t, passphrase), "a", "data")
	st, err := p.openWith(t, cache).Status(t.Context())
	if err != nil || cache.Remembers(st.Key) {
		t.Fatalf("Status = %+v, %v; remembered: %v", st, err, cache.Remembers(st.Key))
	}
	t.Cleanup(func() { cache.Drop(st.Key) })
	prompts.Store(0)
	wantAsked(1) // without For, nothing is remembered
	wantAsked(1)

	if err := p.openWith(t, cache).Unlock(t.Context()); err != nil {
		t.Fatalf("Unlock: %v", err)
	}
	if prompts.Swap(0) != 1 || !cache.Remembers(st.Key) {
		t.Error("Unlock did not prompt once and remember the key")
	}
	wantAsked(0)
	wantKernelKey(t, st.Key)
	inOtherSession(t, func() {
		wantAsked(0)
		if err := cache.Drop(st.Key); err != nil {
			t.Errorf("Drop in another session: %v", err)
		}
	})
	wantAsked(1)
	if err := p.openWith(t, cache).Unlock(t.Context()); err != nil {
		t.Fatalf("Unlock again: %v", err)
	}
	prompts.Store(0)

	for range 2 {
		if err := cache.Drop(st.Key); err != nil {
			t.Errorf("Drop: %v", err)
		}
		wantAsked(1)
	}
}

// inOtherSession runs f with a new, empty session keyring, like a service.
func inOtherSession(t *testing.T, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // and never unlocked: the thread ends, and its session keyring with it
		if _, err := unix.KeyctlInt(unix.KEYCTL_JOIN_SESSION_KEYRING, 0, 0, 0, 0); err != nil {
			t.Errorf("new session keyring: %v", err)
			return
		}
		f()
	}()
	<-done
}

// wantKernelKey checks the key as another process sees it in the kernel: it
// expires, and no other user has a permission.
func wantKernelKey(t *testing.T, id string) {
	t.Helper()
	keys, err := exec.Command("cat", "/proc/keys").Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(keys)) {
		if !strings.Contains(line, "mcp-login:"+id) {
			continue
		}
		// serial flags usage timeout permissions uid gid type description
		f := strings.Fields(line)
		if f[3] != "59m" && f[3] != "60m" && f[3] != "1h" || f[4] != "3f0b0000" {
			t.Errorf("/proc/keys: %s", line)
		}
		return
	}
	t.Errorf("/proc/keys, of another process, has no key mcp-login:%s", id)
}

func TestKernelCacheEnds(t *testing.T) {
	p := newPlace(t)
	put(t, p.openWith(t, phrase("pw")), "a", "data")
	cache := file.KernelCache{Keeper: phrase("pw"), For: time.Second}
	s := p.openWith(t, cache)
	if err := s.Unlock(t.Context()); err != nil {
		t.Fatalf("Unlock: %v", err)
	}
	st, err := s.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	await.True(t, "the key expires after a second", func() bool { return !cache.Remembers(st.Key) })
}

// TestKernelCacheOfWrongPassphrase: a passphrase that does not open the store is
// not remembered.
func TestKernelCacheOfWrongPassphrase(t *testing.T) {
	p := newPlace(t)
	put(t, p.openWith(t, phrase("right")), "a", "data")
	cache := file.KernelCache{Keeper: phrase("wrong"), For: time.Hour}
	s := p.openWith(t, cache)
	if err := s.Unlock(t.Context()); !errors.Is(err, secrets.ErrPassphrase) {
		t.Errorf("Unlock = %v, want ErrPassphrase", err)
	}
	if st, err := s.Status(t.Context()); err != nil || cache.Remembers(st.Key) {
		t.Errorf("Status = %+v, %v, and it is remembered", st, err)
	}
}

// TestRekeyDropsRememberedKey: the old key is removed from the kernel, because it
// is useless.
func TestRekeyDropsRememberedKey(t *testing.T) {
	p := newPlace(t)
	cache := file.KernelCache{Keeper: phrase("old"), For: time.Hour}
	s := p.openWith(t, cache)
	put(t, s, "a", "data")
	st, err := s.Status(t.Context())
	if err != nil || !cache.Remembers(st.Key) {
		t.Fatalf("Status = %+v, %v, and it is not remembered", st, err)
	}
	if err := s.Rekey(t.Context(), phrase("new")); err != nil {
		t.Fatalf("Rekey: %v", err)
	}
	if cache.Remembers(st.Key) {
		t.Error("the kernel remembers the old key")
	}
	wantData(t, p.openWith(t, phrase("new")), "a", "data")
}
