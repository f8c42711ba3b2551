// Package await has tests wait for a state instead of a time. A wait ends as
// soon as the state holds, so it costs nothing on a quiet machine. Its limit is
// so generous that only a true failure reaches it, however busy the machine is.
package await

import (
	"testing"
	"time"
)

// Limit ends a wait for a state that never comes.
const Limit = 2 * time.Minute

// pause is the time between two looks at a state.
const pause = 5 * time.Millisecond

// Until waits until holds reports true. It reports false if that takes longer
// than Limit.
func Until(holds func() bool) bool {
	for late := time.Now().Add(Limit); !holds(); time.Sleep(pause) {
		if time.Now().After(late) {
			return false
		}
	}
	return true
}

// True fails the test unless holds reports true within Limit.
func True(t testing.TB, what string, holds func() bool) {
	t.Helper()
	if !Until(holds) {
		t.Fatalf("not within %s: %s", Limit, what)
	}
}

// Receive returns the next value of ch, or the zero value once ch is closed.
// It fails the test if neither happens within Limit.
func Receive[T any](t testing.TB, what string, ch <-chan T) T {
	t.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(Limit):
		t.Fatalf("not within %s: %s", Limit, what)
		panic("unreachable")
	}
}
