package printable_test

import (
	"testing"
	"time"

	"github.com/mcp-login/mcp-login/internal/printable"
)

func TestDuration(t *testing.T) {
	for want, d := range map[string]time.Duration{
		"0s": 0, "30s": 30 * time.Second, "10m": 10 * time.Minute, "1h": time.Hour, "1h0m5s": time.Hour + 5*time.Second,
		"1h10m": 70 * time.Minute, "9m59s": 10*time.Minute - 600*time.Millisecond, "100ms": 100 * time.Millisecond, "-10m": -10 * time.Minute,
	} {
		if got := printable.Duration(d); got != want {
			t.Errorf("Duration(%d) = %q, want %q", d, got, want)
		}
	}
}
