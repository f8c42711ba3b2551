package secrets

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/mcp-login/mcp-login/internal/printable"
)

// LockedError means that another process still held a lock when the wait for it
// ended. It wraps why the wait ended: the context's error, or ErrTemporary.
type LockedError struct {
	Lock   string        // what is locked, such as `record "notion"`
	Holder string        // who holds it, such as "process 42 on build-7"; "": unknown
	Waited time.Duration // how long the caller waited
	Err    error
}

func (e *LockedError) Error() string {
	return fmt.Sprintf("%s is still locked by %s after %s", e.Lock, holder(e.Holder), printable.Duration(e.Waited))
}

// Unwrap returns why the wait ended.
func (e *LockedError) Unwrap() error { return e.Err }

// maxHolder limits the name of a holder in bytes, because another host may have
// written it.
const maxHolder = 100

func holder(name string) string {
	name = strings.Map(func(r rune) rune {
		if !graphic(r) {
			return -1
		}
		return r
	}, name)
	if name == "" {
		return "another process"
	}
	return strings.ToValidUTF8(name[:min(len(name), maxHolder)], "")
}

// noticeAfter is how long a wait lasts before the notice.
const noticeAfter = time.Second

type noticeKey struct{}

// WithNotice returns a context with which stores call notice, once per wait,
// after they have waited for another process's lock for a second.
func WithNotice(ctx context.Context, notice func(text string)) context.Context {
	return context.WithValue(ctx, noticeKey{}, notice)
}

// Waiting is one wait for a lock, which a store creates when the wait begins.
type Waiting struct {
	lock     string
	begun    time.Time
	notified bool
}

// NewWaiting starts a wait. The text lock names the locked object.
func NewWaiting(lock string) *Waiting { return &Waiting{lock: lock, begun: time.Now()} }

// Notice calls the function of [WithNotice] if it is due. A store calls Notice
// after each attempt; who returns the holder of the lock, or "".
func (w *Waiting) Notice(ctx context.Context, who func() string) {
	notice, _ := ctx.Value(noticeKey{}).(func(string))
	if w.notified || notice == nil || time.Since(w.begun) < noticeAfter {
		return
	}
	w.notified = true
	notice(fmt.Sprintf("waiting for %s, which has locked %s", holder(who()), w.lock))
}

// End returns the error of a wait that ended without the lock. A cancellation
// needs no explanation, so it returns that unchanged.
func (w *Waiting) End(err error, who string) error {
	if err == context.Canceled {
		return err
	}
	return &LockedError{Lock: w.lock, Holder: who, Waited: time.Since(w.begun), Err: err}
}
