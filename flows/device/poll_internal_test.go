package device

import (
	"testing"
	"time"
)

func TestShortfallByTheWallClock(t *testing.T) {
	start := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	const d = 10 * time.Second
	for _, tt := range []struct {
		name string
		wall time.Duration // elapsed by the wall clock while d elapsed by the monotonic clock
		want time.Duration
	}{
		{"both agree", d, 0},
		{"monotonic clock 10% fast", 9 * time.Second, time.Second},
		{"wall clock set back an hour", d - time.Hour, d},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := remaining(d, start, start.Add(tt.wall)); got != tt.want {
				t.Errorf("remaining() = %v, want %v", got, tt.want)
			}
		})
	}
	if got := remaining(d, start, start.Add(time.Hour)); got > 0 {
		t.Errorf("remaining() after a jump ahead = %v, want none", got)
	}
}
