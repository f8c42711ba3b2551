package await_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/mcp-login/mcp-login/internal/await"
)

func TestUntil(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		if !await.Until(func() bool { return true }) || time.Since(begin) != 0 {
			t.Error("a state that already holds caused a wait")
		}
		if !await.Until(func() bool { return time.Since(begin) >= time.Minute }) || time.Since(begin) != time.Minute {
			t.Errorf("a state that came after a minute was seen after %s", time.Since(begin))
		}
		begin = time.Now()
		if await.Until(func() bool { return false }) || time.Since(begin) < await.Limit {
			t.Errorf("gave up after %s, want %s", time.Since(begin), await.Limit)
		}
	})
}
