// Package semaphore lets one goroutine at a time do something, and the others wait. It
// must not know what they do.
package semaphore

import "context"

// Semaphore is held by at most one goroutine. Use [New] to make one.
type Semaphore chan struct{}

// New returns a semaphore that is free.
func New() Semaphore { return make(Semaphore, 1) }

// Acquire acquires the semaphore, or returns ctx's error if ctx ends first. It calls
// ctx.Done only if it must wait, so that a program which listens for signals while it
// waits need not do so yet.
func (s Semaphore) Acquire(ctx context.Context) error {
	select {
	case s <- struct{}{}:
		return nil
	default:
	}
	select {
	case s <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Release releases the semaphore, which the caller has acquired.
func (s Semaphore) Release() { <-s }
