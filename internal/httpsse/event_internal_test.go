package httpsse

import (
	"context"
	"errors"
	"testing"
	"time"
)

// TestSessionsShareMemory: a long message waits while the messages of other sessions fill
// the memory that all share, until they are read or its own session ends.
func TestSessionsShareMemory(t *testing.T) {
	var tr Transport
	other, ctx := tr.newEvent(t.Context()), t.Context()
	if err := other.Add(make([]byte, MaxMessage)); err != nil {
		t.Fatal(err)
	}
	ended, end := context.WithTimeout(ctx, time.Millisecond)
	defer end()
	if err := tr.newEvent(ended).Add(make([]byte, 1<<20)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a message of a session that ends: %v", err)
	}
	time.AfterFunc(time.Millisecond, other.Reset)
	if err := tr.newEvent(ctx).Add(make([]byte, 1<<20)); err != nil {
		t.Errorf("a message after the other one was read: %v", err)
	}
}
