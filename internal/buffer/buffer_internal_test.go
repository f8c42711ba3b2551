package buffer

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"
)

// TestSharedMemory: long messages wait for each other for a limited time, and one
// can always proceed.
func TestSharedMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		m := NewBudget()
		message := func() *Buffer { return New(m.Account(), 64<<20) }
		grow := func(b *Buffer, ctx context.Context, n int) error { return b.Add(ctx, make([]byte, n)) }
		first, second, third := message(), message(), message()
		if err := errors.Join(grow(first, ctx, shared), grow(second, ctx, shared)); err != nil {
			t.Fatal(err)
		}
		if first.account.exclusive || !second.account.exclusive {
			t.Fatalf("exclusive: %t and %t, want the second", first.account.exclusive, second.account.exclusive)
		}
		if err := grow(second, ctx, 64<<20-shared); err != nil {
			t.Errorf("the exclusive account: %v", err)
		}
		if err := grow(third, ctx, blockSize); err != nil {
			t.Errorf("a short message: %v", err)
		}
		start := time.Now()
		if err := grow(third, ctx, 1<<20); !errors.Is(err, ErrFull) || time.Since(start) != timeout {
			t.Errorf("a message over the limit: %v after %s", err, time.Since(start))
		}
		cancelled, cancel := context.WithCancel(ctx)
		time.AfterFunc(time.Second, cancel)
		if err := grow(third, cancelled, 1<<20); !errors.Is(err, context.Canceled) {
			t.Errorf("a canceled message: %v", err)
		}
		time.AfterFunc(time.Second, first.Reset)
		if err := grow(third, ctx, 1<<20); err != nil || third.account.exclusive {
			t.Errorf("after the release: %v, exclusive %t", err, third.account.exclusive)
		}
		synctest.Wait() // until the first has released everything
		for _, each := range []*Buffer{first, second, third} {
			each.Reset()
			each.Reset() // has no effect
		}
		if m.free != shared || m.exclusive {
			t.Errorf("%d bytes are free at the end, want %d", m.free, shared)
		}
	})
}

// TestBuffersOfOneRequest: the buffers of one request never wait for each other,
// however long they are.
func TestBuffersOfOneRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := NewBudget()
		ctx := m.WithAccount(t.Context())
		first, second := New(AccountOf(ctx), 64<<20), New(AccountOf(ctx), 64<<20)
		start := time.Now()
		for _, b := range []*Buffer{first, second} {
			if err := b.Add(ctx, make([]byte, 60<<20)); err != nil {
				t.Error(err)
			}
		}
		if _, err := second.Bytes(ctx); err != nil || time.Since(start) != 0 {
			t.Errorf("%v after %s", err, time.Since(start))
		}
		first.Reset()
		if !m.exclusive {
			t.Error("the account is no longer exclusive while it holds a message")
		}
		second.Reset()
		if m.free != shared || m.exclusive {
			t.Errorf("%d bytes are free at the end, want %d", m.free, shared)
		}
	})
}

func TestReadFrom(t *testing.T) {
	const limit = 200_000
	for _, size := range []int{0, 1, blockSize - 1, blockSize, blockSize + 1, 2 * blockSize, limit - 1, limit, limit + 1, 2 * limit} {
		want := bytes.Repeat([]byte("0123456789"), size/10+1)[:size]
		for name, read := range map[string]func(*Buffer) error{
			"whole": func(b *Buffer) error { return b.ReadFrom(t.Context(), bytes.NewReader(want)) },
			"with the last error": func(b *Buffer) error {
				return b.ReadFrom(t.Context(), iotest.DataErrReader(strings.NewReader(string(want))))
			},
			"in parts": func(b *Buffer) error {
				return errors.Join(b.Add(t.Context(), want[:size/3]), b.Add(t.Context(), want[size/3:]))
			},
		} {
			m := NewBudget()
			b := New(m.Account(), limit)
			if err := read(b); errors.Is(err, ErrTooLong) != (size > limit) || (err != nil) != (size > limit) {
				t.Errorf("%s, %d bytes: %v", name, size, err)
			}
			if size <= limit {
				checkText(t, b, want)
			}
			if got, err := io.ReadAll(iotest.HalfReader(b)); err != nil || size <= limit && !bytes.Equal(got, want) {
				t.Errorf("%s: reads %d bytes, want %d: %v", name, len(got), size, err)
			}
			b.Reset()
			if m.free != shared || m.exclusive || b.Len() != 0 {
				t.Errorf("%s, %d bytes: not all was released", name, size)
			}
		}
	}
}

// checkText checks the contents of a buffer, in blocks and as one text.
func checkText(t *testing.T, b *Buffer, want []byte) {
	t.Helper()
	if got := bytes.Join(b.Blocks(0, b.Len()), nil); !bytes.Equal(got, want) {
		t.Errorf("%d bytes, want %d", len(got), len(want))
	}
	from, to := len(want)/4, len(want)*3/4
	if got := bytes.Join(b.Blocks(from, to), nil); !bytes.Equal(got, want[from:to]) {
		t.Errorf("from %d to %d: %d bytes", from, to, len(got))
	}
	if got, err := b.Bytes(t.Context()); err != nil || !bytes.Equal(got, want) {
		t.Errorf("as one text: %d bytes, want %d: %v", len(got), len(want), err)
	}
}
