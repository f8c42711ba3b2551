package secrets

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/mcp-login/mcp-login/internal/printable"
)

// LockedError means that somebody else still held a lock when the wait for it
// ended. It wraps the reason that the wait ended: the context's error, or
// ErrTemporary.
type LockedError struct {
	Lock   string        // what is locked, such as `record "notion"`
	Holder string        // who holds it, such as "process 42 on build-7"; "": not known
	Waited time.Duration // for how long it was waited for
	Err    error
}

func (e *LockedError) Error() string {
	return fmt.Sprintf("%s is still locked by %s after %s", e.Lock, holder(e.Holder), printable.Duration(e.Waited))
}

// Unwrap returns the reason that the wait ended.
func (e *LockedError) Unwrap() error { return e.Err }

// maxHolder caps the name of a holder, which another host may have written.
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

// noticeAfter is how long a wait may last before anybody is told.
const noticeAfter = time.Second

type noticeKey struct{}

// WithNotice returns a context with which stores call notice, once for each
// wait, when they have waited for somebody else's lock for a second.
func WithNotice(ctx context.Context, notice func(text string)) context.Context {
	return context.WithValue(ctx, noticeKey{}, notice)
}

// Waiting is one wait for a lock. A store makes one when the wait begins.
type Waiting struct {
	lock  string
	begun time.Time
	said  bool
}

// NewWaiting begins a wait for a lock of what is named by lock.
func NewWaiting(lock string) *Waiting { return &Waiting{lock: lock, begun: time.Now()} }

// Notice reports the wait to the function of [WithNotice], if it is time to. A
// store calls it at each try; who finds out who holds the lock, or returns "".
func (w *Waiting) Notice(ctx context.Context, who func() string) {
	notice, _ := ctx.Value(noticeKey{}).(func(string))
	if w.said || notice == nil || time.Since(w.begun) < noticeAfter {
		return
	}
	w.said = true
	notice(fmt.Sprintf("waiting for %s, which has locked %s", holder(who()), w.lock))
}

// End returns the error of a wait that ended without the lock. It is err itself
// if that is a cancellation, which needs no explanation.
func (w *Waiting) End(err error, who string) error {
	if err == context.Canceled {
		return err
	}
	return &LockedError{Lock: w.lock, Holder: who, Waited: time.Since(w.begun), Err: err}
}
