package secrets

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"sync"
)

// Memory is a Store in the memory of the process: for tests, and for programs
// that must not persist credentials. The zero value is empty and ready to use.
// It must not be copied after first use.
type Memory struct {
	mu      sync.Mutex
	writes  uint64 // a counter, so that no version is ever reused
	records map[string]memoryRecord
	locks   map[string]chan struct{} // holds one element while locked
}

type memoryRecord struct {
	data    []byte
	version Version
}

var _ Store = (*Memory)(nil)

// Get implements [Store].
func (m *Memory) Get(ctx context.Context, name string) ([]byte, Version, error) {
	if err := check(ctx, name); err != nil {
		return nil, Absent, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	r, ok := m.records[name]
	if !ok {
		return nil, Absent, fmt.Errorf("%w: %q", ErrNotFound, name)
	}
	return slices.Clone(r.data), r.version, nil
}

// Put implements [Store].
func (m *Memory) Put(ctx context.Context, name string, data []byte, prev Version) (Version, error) {
	if err := check(ctx, name); err != nil {
		return Absent, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if prev != Any && prev != m.records[name].version {
		return Absent, fmt.Errorf("%w: %q", ErrConflict, name)
	}
	m.writes++
	r := memoryRecord{slices.Clone(data), Version(strconv.FormatUint(m.writes, 10))}
	if m.records == nil {
		m.records = make(map[string]memoryRecord)
	}
	m.records[name] = r
	return r.version, nil
}

// Delete implements [Store].
func (m *Memory) Delete(ctx context.Context, name string, prev Version) error {
	if err := check(ctx, name); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	r, ok := m.records[name]
	if !ok {
		return fmt.Errorf("%w: %q", ErrNotFound, name)
	}
	if prev != Any && prev != r.version {
		return fmt.Errorf("%w: %q", ErrConflict, name)
	}
	delete(m.records, name)
	return nil
}

// List implements [Store].
func (m *Memory) List(ctx context.Context) ([]string, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	names := slices.Sorted(maps.Keys(m.records))
	return slices.DeleteFunc(names, func(name string) bool { return name == Internal }), nil
}

// Lock implements [Store]. The lock is local to this Memory.
func (m *Memory) Lock(ctx context.Context, name string) (unlock func(), err error) {
	if err := check(ctx, name); err != nil {
		return nil, err
	}
	l := m.lock(name)
	select {
	case l <- struct{}{}:
		return sync.OnceFunc(func() { <-l }), nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (m *Memory) lock(name string) chan struct{} {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.locks == nil {
		m.locks = make(map[string]chan struct{})
	}
	if m.locks[name] == nil {
		m.locks[name] = make(chan struct{}, 1)
	}
	return m.locks[name]
}

// check returns the error that every method returns before it does anything.
func check(ctx context.Context, name string) error {
	if err := CheckRecord(name); err != nil {
		return err
	}
	return ctx.Err()
}
