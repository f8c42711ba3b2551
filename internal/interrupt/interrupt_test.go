package interrupt_test

import (
	"context"
	"runtime"
	"testing"

	"github.com/mcp-login/mcp-login/internal/interrupt"
)

// TestBeforeWaiting: the context is usable and has not ended.
func TestBeforeWaiting(t *testing.T) {
	type key struct{}
	ctx := context.WithValue(interrupt.Context(), key{}, "v")
	if err := ctx.Err(); err != nil || ctx.Value(key{}) != "v" {
		t.Errorf("Err %v, Value %v", err, ctx.Value(key{}))
	}
	if _, ok := ctx.Deadline(); ok {
		t.Error("has a deadline")
	}
}

// TestDerivedNeedsNoGoroutine: the context package finds the context that is canceled.
// It would watch one of another kind in a goroutine.
func TestDerivedNeedsNoGoroutine(t *testing.T) {
	ctx := interrupt.Context()
	ctx.Done()
	before := runtime.NumGoroutine()
	for range 10 {
		derived, cancel := context.WithCancel(ctx)
		defer cancel()
		derived.Done()
	}
	if after := runtime.NumGoroutine(); after > before {
		t.Errorf("%d goroutines, before %d", after, before)
	}
}
