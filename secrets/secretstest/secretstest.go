// Package secretstest is a test suite for implementations of [secrets.Store].
//
//	func TestStore(t *testing.T) {
//		dir := t.TempDir()
//		secretstest.TestStore(t, func(t *testing.T) secrets.Store { return open(t, dir) })
//	}
package secretstest

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/mcp-login/mcp-login/secrets"
)

// TestStore tests a store. Every call of open must return a handle to the same
// storage, which is initially empty; the suite uses several handles at once and
// leaves the storage empty.
func TestStore(t *testing.T, open func(t *testing.T) secrets.Store) {
	t.Helper()
	for _, tt := range []struct {
		name string
		run  func(*testing.T, func(*testing.T) secrets.Store)
	}{
		{"Empty", testEmpty},
		{"RoundTrip", testRoundTrip},
		{"CompareAndSwap", testCompareAndSwap},
		{"Delete", testDelete},
		{"List", testList},
		{"Names", testNames},
		{"RefusedNames", testRefusedNames},
		{"Internal", testInternal},
		{"Sizes", testSizes},
		{"Copies", testCopies},
		{"Handles", testHandles},
		{"ContextEnded", testContextEnded},
		{"CountByCompareAndSwap", testCountByCompareAndSwap},
		{"OneCreates", testOneCreates},
		{"CountByLock", testCountByLock},
		{"LockWaits", testLockWaits},
		{"LockCancelled", testLockCancelled},
		{"LocksAreIndependent", testLocksAreIndependent},
	} {
		t.Run(tt.name, func(t *testing.T) { tt.run(t, open) })
		wantList(t, open(t))
	}
}

func testEmpty(t *testing.T, open func(*testing.T) secrets.Store) {
	s := open(t)
	_, v, err := s.Get(t.Context(), "nobody")
	if !errors.Is(err, secrets.ErrNotFound) || v != secrets.Absent {
		t.Errorf("Get = %q, %v, want ErrNotFound", v, err)
	}
	if err := s.Delete(t.Context(), "nobody", secrets.Any); !errors.Is(err, secrets.ErrNotFound) {
		t.Errorf("Delete = %v, want ErrNotFound", err)
	}
	wantList(t, s)
}

func testRoundTrip(t *testing.T, open func(*testing.T) secrets.Store) {
	s := open(t)
	v1 := put(t, s, "a", "one", secrets.Absent)
	wantRecord(t, s, "a", "one", v1)
	v2 := put(t, s, "a", "two", v1)
	wantRecord(t, s, "a", "two", v2)
	v3 := put(t, s, "a", "two", secrets.Any)
	wantRecord(t, s, "a", "two", v3)
	if v1 == v2 || v2 == v3 || v1 == v3 {
		t.Errorf("versions %q, %q, %q: want another one for every write", v1, v2, v3)
	}
}

func testCompareAndSwap(t *testing.T, open func(*testing.T) secrets.Store) {
	s := open(t)
	wantConflict := func(prev secrets.Version) {
		t.Helper()
		if _, err := s.Put(t.Context(), "a", []byte("wrong"), prev); !errors.Is(err, secrets.ErrConflict) {
			t.Errorf("Put(prev %q) = %v, want ErrConflict", prev, err)
		}
	}
	put(t, s, "b", "other", secrets.Absent)
	v1 := put(t, s, "a", "one", secrets.Absent)
	wantConflict(secrets.Absent)
	v2 := put(t, s, "a", "two", v1)
	wantConflict(v1)
	wantConflict("no such version")
	wantRecord(t, s, "a", "two", v2)

	if err := s.Delete(t.Context(), "a", v2); err != nil {
		t.Fatalf("Delete: %v", err)
	}
	wantConflict(v2)
	v3 := put(t, s, "a", "three", secrets.Absent)
	wantConflict(v2)
	wantRecord(t, s, "a", "three", v3)
}

func testDelete(t *testing.T, open func(*testing.T) secrets.Store) {
	s := open(t)
	v1 := put(t, s, "a", "one", secrets.Absent)
	v2 := put(t, s, "a", "two", v1)
	for _, prev := range []secrets.Version{v1, secrets.Absent} {
		if err := s.Delete(t.Context(), "a", prev); !errors.Is(err, secrets.ErrConflict) {
			t.Errorf("Delete(prev %q) = %v, want ErrConflict", prev, err)
		}
	}
	wantRecord(t, s, "a", "two", v2)
	if err := s.Delete(t.Context(), "a", v2); err != nil {
		t.Errorf("Delete: %v", err)
	}
	if _, _, err := s.Get(t.Context(), "a"); !errors.Is(err, secrets.ErrNotFound) {
		t.Errorf("Get after Delete = %v, want ErrNotFound", err)
	}
	if err := s.Delete(t.Context(), "a", v2); !errors.Is(err, secrets.ErrNotFound) {
		t.Errorf("second Delete = %v, want ErrNotFound", err)
	}
}

func testList(t *testing.T, open func(*testing.T) secrets.Store) {
	s := open(t)
	for _, name := range []string{"b", "a", "Z", "a0", "aé", "ab"} {
		put(t, s, name, name, secrets.Absent)
	}
	put(t, s, "a", "again", secrets.Any)
	wantList(t, s, "Z", "a", "a0", "ab", "aé", "b")
}

func testSizes(t *testing.T, open func(*testing.T) secrets.Store) {
	s := open(t)
	for _, size := range []int{0, 1, 1 << 10, maxRecord} {
		data := bytes.Repeat([]byte{0, '\n', 0xff, '%'}, size/4+1)[:size]
		v := put(t, s, "a", string(data), secrets.Any)
		wantRecord(t, s, "a", string(data), v)
	}
}

// maxRecord is a size that every store must support, in bytes.
const maxRecord = 1 << 20

// testCopies: later changes to the caller's slices do not affect the record.
func testCopies(t *testing.T, open func(*testing.T) secrets.Store) {
	s := open(t)
	data := []byte("one")
	v := put(t, s, "a", "one", secrets.Absent)
	v, err := s.Put(t.Context(), "a", data, v)
	if err != nil {
		t.Fatalf("Put: %v", err)
	}
	copy(data, "xxx")
	got, _, err := s.Get(t.Context(), "a")
	if err != nil {
		t.Fatalf("Get: %v", err)
	}
	copy(got, "yyy")
	wantRecord(t, s, "a", "one", v)
}

func testHandles(t *testing.T, open func(*testing.T) secrets.Store) {
	s1, s2 := open(t), open(t)
	v1 := put(t, s1, "a", "one", secrets.Absent)
	wantRecord(t, s2, "a", "one", v1)
	v2 := put(t, s2, "a", "two", v1)
	wantRecord(t, s1, "a", "two", v2)
	if _, err := s1.Put(t.Context(), "a", nil, v1); !errors.Is(err, secrets.ErrConflict) {
		t.Errorf("Put with a version that the other handle replaced = %v, want ErrConflict", err)
	}
	if err := s1.Delete(t.Context(), "a", v2); err != nil {
		t.Fatalf("Delete: %v", err)
	}
	wantList(t, s2)
	if _, _, err := s2.Get(t.Context(), "a"); !errors.Is(err, secrets.ErrNotFound) {
		t.Errorf("Get of what the other handle deleted = %v, want ErrNotFound", err)
	}
}

func testContextEnded(t *testing.T, open func(*testing.T) secrets.Store) {
	s := open(t)
	v := put(t, s, "a", "one", secrets.Absent)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, _, getErr := s.Get(ctx, "a")
	_, putErr := s.Put(ctx, "a", []byte("two"), v)
	_, listErr := s.List(ctx)
	_, lockErr := s.Lock(ctx, "a")
	for method, err := range map[string]error{
		"Get": getErr, "Put": putErr, "Delete": s.Delete(ctx, "a", v), "List": listErr, "Lock": lockErr,
	} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s with an ended context = %v, want context.Canceled", method, err)
		}
	}
	wantRecord(t, s, "a", "one", v)
}

// put writes a record, which it removes after the test.
func put(t *testing.T, s secrets.Store, name, data string, prev secrets.Version) secrets.Version {
	t.Helper()
	v, err := s.Put(t.Context(), name, []byte(data), prev)
	if err != nil {
		t.Fatalf("Put(%q, prev %q): %v", name, prev, err)
	}
	if v == secrets.Absent || v == secrets.Any {
		t.Fatalf("Put(%q) = version %q, which means something else", name, v)
	}
	t.Cleanup(func() { remove(t, s, name) })
	return v
}

// remove deletes a record if it exists. It runs in Cleanup, where t.Context has
// ended.
func remove(t *testing.T, s secrets.Store, name string) {
	t.Helper()
	err := s.Delete(context.WithoutCancel(t.Context()), name, secrets.Any)
	if err != nil && !errors.Is(err, secrets.ErrNotFound) {
		t.Errorf("Delete(%q): %v", name, err)
	}
}

func wantRecord(t *testing.T, s secrets.Store, name, want string, version secrets.Version) {
	t.Helper()
	got, v, err := s.Get(t.Context(), name)
	if err != nil {
		t.Fatalf("Get(%q): %v", name, err)
	}
	if string(got) != want {
		t.Errorf("Get(%q) = %s, want %s", name, short(string(got)), short(want))
	}
	if v != version {
		t.Errorf("Get(%q) = version %q, want %q", name, v, version)
	}
}

func wantList(t *testing.T, s secrets.Store, want ...string) {
	t.Helper()
	got, err := s.List(t.Context())
	if err != nil {
		t.Fatalf("List: %v", err)
	}
	if !slices.Equal(got, want) {
		t.Errorf("List = %q, want %q", got, want)
	}
}

func short(s string) string {
	if len(s) > 40 {
		s = s[:40] + "..."
	}
	return strings.ToValidUTF8(s, "?")
}
