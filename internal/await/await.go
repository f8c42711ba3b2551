// Package await lets tests wait for a state instead of sleeping. A wait ends as
// soon as the state holds, so tests stay fast on a quiet machine. The limit is
// generous, so that even on a busy machine only a real failure reaches it. It is for
// tests alone, and must not know what they wait for.
package await

import (
	"testing"
	"time"
)

// Limit is the longest wait for a state.
const Limit = 2 * time.Minute

// pause is the polling interval.
const pause = 5 * time.Millisecond

// Until polls holds until it returns true, and then returns true. It returns
// false after Limit.
func Until(holds func() bool) bool {
	for late := time.Now().Add(Limit); !holds(); time.Sleep(pause) {
		if time.Now().After(late) {
			return false
		}
	}
	return true
}

// True waits until holds returns true. It fails the test after Limit.
func True(t testing.TB, what string, holds func() bool) {
	t.Helper()
	if !Until(holds) {
		t.Fatalf("timed out after %s waiting for: %s", Limit, what)
	}
}

// Receive returns the next value of ch, or the zero value if ch is closed. It
// fails the test after Limit.
func Receive[T any](t testing.TB, what string, ch <-chan T) T {
	t.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(Limit):
		t.Fatalf("timed out after %s waiting for: %s", Limit, what)
		panic("unreachable")
	}
}
