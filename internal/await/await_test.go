package await_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/mcp-login/mcp-login/internal/await"
)

func TestUntil(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		if !await.Until(func() bool { return true }) || time.Since(start) != 0 {
			t.Error("a state that already holds caused a wait")
		}
		if !await.Until(func() bool { return time.Since(start) >= time.Minute }) || time.Since(start) != time.Minute {
			t.Errorf("a state that is reached after a minute was noticed after %s", time.Since(start))
		}
		start = time.Now()
		if await.Until(func() bool { return false }) || time.Since(start) < await.Limit {
			t.Errorf("gave up after %s, want %s", time.Since(start), await.Limit)
		}
	})
}
