package vault_test

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mcp-login/mcp-login/secrets"
	"github.com/mcp-login/mcp-login/secrets/vault"
)

func lock(t *testing.T, s *vault.Store) (unlock func(), waited time.Duration) {
	t.Helper()
	start := time.Now()
	unlock, err := s.Lock(t.Context(), "a")
	if err != nil {
		t.Fatalf("Lock: %v", err)
	}
	return unlock, time.Since(start)
}

// cutOff returns a store whose requests no longer arrive after cut is called.
func cutOff(t *testing.T, d *fakeVault) (s *vault.Store, cut func()) {
	unreachable := &fakeVault{}
	var isCut atomic.Bool
	unreachable.fault = func(r *http.Request, _ func() *http.Response) (*http.Response, error) {
		if isCut.Load() {
			<-r.Context().Done()
			return nil, r.Context().Err()
		}
		return d.RoundTrip(r)
	}
	return unreachable.open(t, vault.Config{}), func() { isCut.Store(true) }
}

func TestLockIsRenewedEveryFiveSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &fakeVault{}
		unlock, _ := lock(t, d.open(t, vault.Config{}))
		before := d.requests.Load()
		time.Sleep(time.Minute + time.Second)
		if n := d.requests.Load() - before; n != 12 {
			t.Errorf("%d requests in a minute, want 12 renewals", n)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if _, err := d.open(t, vault.Config{}).Lock(ctx, "a"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Lock within an hour = %v, want context.DeadlineExceeded", err)
		}
		unlock()
		next, waited := lock(t, d.open(t, vault.Config{}))
		if waited > 0 {
			t.Errorf("after unlock another caller waited %v", waited)
		}
		next()
	})
}

func TestLockOfADeadProcessIsTakenOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &fakeVault{}
		s, cut := cutOff(t, d)
		unlock, _ := lock(t, s)
		cut()
		other, waited := lock(t, d.open(t, vault.Config{}))
		if waited < 15*time.Second || waited > 16*time.Second {
			t.Errorf("acquired after %v, want 15 s", waited)
		}
		start := time.Now()
		unlock()
		if d := time.Since(start); d > 3*time.Second {
			t.Errorf("unlock without Vault took %v, want 3 s at most", d)
		}
		other()
	})
}

// TestLockOfALongDeadProcess: a late caller need not wait, because Vault's clock shows
// when the holder wrote last. The caller's own clock does not matter.
func TestLockOfALongDeadProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &fakeVault{}
		s, cut := cutOff(t, d)
		unlock, _ := lock(t, s)
		cut()
		time.Sleep(32 * time.Second)
		other, waited := lock(t, d.open(t, vault.Config{}))
		if waited > 0 {
			t.Errorf("waited %v, want nothing", waited)
		}
		other()
		unlock()
	})
}

// TestLockWithoutServerClock: some proxies drop the Date header.
func TestLockWithoutServerClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &fakeVault{}
		d.fault = func(_ *http.Request, serve func() *http.Response) (*http.Response, error) {
			resp := serve()
			resp.Header.Del("Date")
			return resp, nil
		}
		s, cut := cutOff(t, d)
		unlock, _ := lock(t, s)
		cut()
		time.Sleep(time.Hour)
		other, waited := lock(t, d.open(t, vault.Config{}))
		if waited < 15*time.Second || waited > 16*time.Second {
			t.Errorf("acquired after %v, want 15 s", waited)
		}
		other()
		unlock()
	})
}

// TestWaitersBackOff: waiting takes few requests, at random intervals.
func TestWaitersBackOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &fakeVault{}
		unlock, _ := lock(t, d.open(t, vault.Config{}))
		defer unlock()
		before := d.requests.Load()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		if _, err := d.open(t, vault.Config{}).Lock(ctx, "a"); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
		if n := d.requests.Load() - before; n < 25 || n > 60 {
			t.Errorf("%d requests in 10 s of waiting, want between 25 and 60", n)
		}
	})
}

// TestLateRemovalIsNotSent: a process that is suspended between marking a record as
// deleted and removing its path must not remove it later, because others may use
// the path by then. Until they may, they wait.
func TestLateRemovalIsNotSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &fakeVault{}
		slow, other := d.open(t, vault.Config{}), d.open(t, vault.Config{})
		v, err := slow.Put(t.Context(), "a", []byte("old"), secrets.Absent)
		if err != nil {
			t.Fatal(err)
		}
		var stopped atomic.Bool
		d.fault = func(r *http.Request, serve func() *http.Response) (*http.Response, error) {
			if r.Method == http.MethodDelete && stopped.CompareAndSwap(false, true) {
				time.Sleep(time.Minute)
				return nil, r.Context().Err()
			}
			return serve(), nil
		}
		deleted := make(chan error)
		go func() { deleted <- slow.Delete(t.Context(), "a", v) }()
		synctest.Wait()
		if _, _, err := other.Get(t.Context(), "a"); !errors.Is(err, secrets.ErrNotFound) {
			t.Errorf("Get of a marked record = %v, want ErrNotFound", err)
		}
		start := time.Now()
		if _, err := other.Put(t.Context(), "a", []byte("new"), secrets.Absent); err != nil {
			t.Errorf("Put: %v", err)
		}
		if waited := time.Since(start); waited < 15*time.Second || waited > 16*time.Second {
			t.Errorf("the path was used again after %v, want 15 s", waited)
		}
		if err := <-deleted; !errors.Is(err, secrets.ErrTemporary) {
			t.Errorf("Delete = %v, want ErrTemporary", err)
		}
		if data, _, err := other.Get(t.Context(), "a"); string(data) != "new" || err != nil {
			t.Errorf("Get = %q, %v, want the new record", data, err)
		}
	})
}
