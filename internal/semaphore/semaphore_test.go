package semaphore_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/mcp-login/mcp-login/internal/semaphore"
)

// TestAcquire: a semaphore that is free is acquired at once, and a wait for one that is
// held ends with the context or with its release.
func TestAcquire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := semaphore.New()
		canceled, cancel := context.WithCancel(t.Context())
		cancel()
		if err := s.Acquire(canceled); err != nil {
			t.Errorf("a free one: %v", err)
		}
		if err := s.Acquire(canceled); !errors.Is(err, context.Canceled) {
			t.Errorf("a held one: %v", err)
		}
		acquired := false
		go func() { acquired = s.Acquire(t.Context()) == nil }()
		synctest.Wait()
		if acquired {
			t.Error("acquired while held")
		}
		s.Release()
		synctest.Wait()
		if !acquired {
			t.Error("not acquired after its release")
		}
	})
}
