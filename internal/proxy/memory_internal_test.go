package proxy

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/mcp-login/mcp-login/internal/eventstream"
)

// Long messages wait for each other, but not for ever, and one always can go on.
func TestSharedMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		m := newMemory()
		message := func() *buffer { return &buffer{memory: m, limit: 64 << 20} }
		first, second, third := message(), message(), message()
		if err := errors.Join(first.grow(ctx, sharedMemory), second.grow(ctx, sharedMemory)); err != nil {
			t.Fatal(err)
		}
		if first.exclusive || !second.exclusive {
			t.Fatalf("alone: %t and %t, want the second", first.exclusive, second.exclusive)
		}
		if err := second.grow(ctx, 64<<20); err != nil {
			t.Errorf("the one that is alone: %v", err)
		}
		if err := third.grow(ctx, unsharedMemory); err != nil {
			t.Errorf("a short one: %v", err)
		}
		begin := time.Now()
		if err := third.grow(ctx, 1<<20); !errors.Is(err, errMemory) || time.Since(begin) != memoryTimeout {
			t.Errorf("one too many: %v after %s", err, time.Since(begin))
		}
		cancelled, cancel := context.WithCancel(ctx)
		time.AfterFunc(time.Second, cancel)
		if err := third.grow(cancelled, 1<<20); !errors.Is(err, context.Canceled) {
			t.Errorf("a cancelled one: %v", err)
		}
		time.AfterFunc(time.Second, first.reset)
		if err := third.grow(ctx, 1<<20); err != nil || third.exclusive {
			t.Errorf("once there is room: %v, alone %t", err, third.exclusive)
		}
		synctest.Wait() // until the first has given all back
		for _, each := range []*buffer{first, second, third} {
			each.reset()
			each.reset() // changes nothing
		}
		if m.free != sharedMemory || m.exclusive {
			t.Errorf("%d bytes are free in the end, want %d", m.free, sharedMemory)
		}
	})
}

func TestReadText(t *testing.T) {
	const limit = 100_000
	for _, size := range []int{0, 1, 511, 512, 513, unsharedMemory, unsharedMemory + 1, limit - 1, limit, limit + 1, 2 * limit} {
		want := bytes.Repeat([]byte("0123456789"), size/10+1)[:size]
		for name, r := range map[string]func() *buffer{
			"whole": func() *buffer {
				r := &buffer{memory: newMemory(), limit: limit}
				if err := r.readFrom(t.Context(), bytes.NewReader(want)); (err != nil) != (size > limit) || err != nil && !errors.Is(err, eventstream.ErrTooLong) {
					t.Errorf("%d bytes: %v", size, err)
				}
				return r
			},
			"with the last error": func() *buffer {
				r := &buffer{memory: newMemory(), limit: limit}
				if err := r.readFrom(t.Context(), iotest.DataErrReader(strings.NewReader(string(want)))); (err != nil) != (size > limit) {
					t.Errorf("%d bytes: %v", size, err)
				}
				return r
			},
		} {
			got := r()
			if size <= limit && !bytes.Equal(got.bytes, want) {
				t.Errorf("%s: %d bytes, want %d", name, len(got.bytes), size)
			}
			got.reset()
			if got.memory.free != sharedMemory || got.memory.exclusive {
				t.Errorf("%s, %d bytes: not all was given back", name, size)
			}
		}
	}
}
