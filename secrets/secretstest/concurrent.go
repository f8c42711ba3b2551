package secretstest

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mcp-login/mcp-login/secrets"
)

// Number of goroutines that count, and how often each of them increments.
const (
	counters = 8
	steps    = 5
)

func testCountByCompareAndSwap(t *testing.T, open func(*testing.T) secrets.Store) {
	put(t, open(t), "count", "0", secrets.Absent)
	count(t, open, func(s secrets.Store) error {
		for {
			n, v, err := number(t, s)
			if err != nil {
				return err
			}
			_, err = s.Put(t.Context(), "count", []byte(strconv.Itoa(n+1)), v)
			if !errors.Is(err, secrets.ErrConflict) {
				return err
			}
		}
	})
}

func testCountByLock(t *testing.T, open func(*testing.T) secrets.Store) {
	put(t, open(t), "count", "0", secrets.Absent)
	var inside atomic.Int32
	count(t, open, func(s secrets.Store) error {
		unlock, err := s.Lock(t.Context(), "count")
		if err != nil {
			return err
		}
		defer unlock()
		if inside.Add(1) != 1 {
			t.Error("two hold the lock at once")
		}
		defer inside.Add(-1)
		n, _, err := number(t, s)
		if err != nil {
			return err
		}
		_, err = s.Put(t.Context(), "count", []byte(strconv.Itoa(n+1)), secrets.Any)
		return err
	})
}

// count runs step concurrently over two handles, and checks that no increment
// was lost.
func count(t *testing.T, open func(*testing.T) secrets.Store, step func(secrets.Store) error) {
	t.Helper()
	handles := []secrets.Store{open(t), open(t)}
	var wg sync.WaitGroup
	for i := range counters {
		wg.Go(func() {
			for range steps {
				if err := step(handles[i%len(handles)]); err != nil {
					t.Errorf("step: %v", err)
					return
				}
			}
		})
	}
	wg.Wait()
	if n, _, err := number(t, open(t)); n != counters*steps || err != nil {
		t.Errorf("counted to %d, %v, want %d", n, err, counters*steps)
	}
}

func number(t *testing.T, s secrets.Store) (int, secrets.Version, error) {
	data, v, err := s.Get(t.Context(), "count")
	if err != nil {
		return 0, v, err
	}
	n, err := strconv.Atoi(string(data))
	return n, v, err
}

// testOneCreates: of many concurrent calls that create a record, exactly one
// succeeds.
func testOneCreates(t *testing.T, open func(*testing.T) secrets.Store) {
	s := open(t)
	t.Cleanup(func() { remove(t, s, "new") })
	var wins atomic.Int32
	var wg sync.WaitGroup
	for range counters {
		wg.Go(func() {
			_, err := s.Put(t.Context(), "new", []byte("x"), secrets.Absent)
			switch {
			case err == nil:
				wins.Add(1)
			case !errors.Is(err, secrets.ErrConflict):
				t.Errorf("Put: %v", err)
			}
		})
	}
	wg.Wait()
	if wins.Load() != 1 {
		t.Errorf("%d created the record, want 1", wins.Load())
	}
}

// quietTime is how long a test waits to see that nothing happens.
const quietTime = 50 * time.Millisecond

func testLockWaits(t *testing.T, open func(*testing.T) secrets.Store) {
	s := open(t)
	unlock := lock(t, s, "a")
	v := put(t, s, "a", "written under the lock of somebody else", secrets.Absent)
	wantRecord(t, s, "a", "written under the lock of somebody else", v)

	got := make(chan func(), 1)
	go func() {
		second, err := open(t).Lock(t.Context(), "a")
		if err != nil {
			t.Errorf("Lock: %v", err)
		}
		got <- second
	}()
	select {
	case <-got:
		t.Fatal("two hold the lock at once")
	case <-time.After(quietTime):
	}
	unlock()
	unlock = <-got
	unlock()
	unlock() // a second call has no effect: it must not release the lock of the next holder
	lock(t, s, "a")()
}

func testLockCancelled(t *testing.T, open func(*testing.T) secrets.Store) {
	s := open(t)
	unlock := lock(t, s, "a")
	ctx, cancel := context.WithTimeout(t.Context(), quietTime)
	defer cancel()
	if _, err := s.Lock(ctx, "a"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Lock = %v, want context.DeadlineExceeded", err)
	}
	unlock()
	lock(t, s, "a")() // the canceled call must not hold it
}

func testLocksAreIndependent(t *testing.T, open func(*testing.T) secrets.Store) {
	s := open(t)
	defer lock(t, s, "a")()
	defer lock(t, s, "A")()
	defer lock(t, s, "a.b")()
	defer lock(t, open(t), "a/b")()
}

// lock takes a lock that is not held, and fails the test if that takes too long.
func lock(t *testing.T, s secrets.Store, name string) (unlock func()) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	unlock, err := s.Lock(ctx, name)
	if err != nil {
		t.Fatalf("Lock(%q): %v", name, err)
	}
	return unlock
}
