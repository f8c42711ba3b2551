package secrets_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mcp-login/mcp-login/secrets"
)

// TestNotice: the caller with a notice function is notified once, when the wait has
// lasted a second.
func TestNotice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var notices []string
		ctx := secrets.WithNotice(t.Context(), func(text string) { notices = append(notices, text) })
		holder := func() string { return "process 42\x1b[2J on \u202ebox" }
		start := time.Now()
		w := secrets.NewWaiting(`record "a"`)
		for range 30 {
			w.Notice(ctx, holder)
			w.Notice(t.Context(), holder) // no notice function
			if len(notices) > 0 && time.Since(start) < time.Second {
				t.Fatal("notified immediately")
			}
			time.Sleep(100 * time.Millisecond)
		}
		if len(notices) != 1 || notices[0] != `waiting for process 42[2J on box, which has locked record "a"` {
			t.Errorf("notice %q", notices)
		}
		err := w.End(context.DeadlineExceeded, "")
		if locked, ok := errors.AsType[*secrets.LockedError](err); !ok || !errors.Is(err, context.DeadlineExceeded) || locked.Error() != `record "a" is still locked by another process after 3s` {
			t.Errorf("End() = %v", err)
		}
		if err := w.End(context.Canceled, ""); err != context.Canceled {
			t.Errorf("End() of a canceled wait = %v", err)
		}
		long := secrets.LockedError{Lock: "x", Holder: strings.Repeat("\u00e9", 500)}
		if text := long.Error(); len(text) > 200 {
			t.Errorf("the holder's name is not capped: %d bytes", len(text))
		}
	})
}
