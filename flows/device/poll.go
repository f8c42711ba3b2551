package device

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/mcp-login/mcp-login/flows"
	"github.com/mcp-login/mcp-login/oauth"
)

const (
	slowDownStep  = 5 * time.Second // RFC 8628 §3.5
	maxBackoff    = time.Minute     // between tries of a server that does not answer
	maxErrors     = 8               // answers in a row that only say that the server is at fault
	marginDivisor = 5               // a fifth of the interval for each slow_down
)

// poll asks the token endpoint until it answers for good or the code expires.
// A wait is counted from the last answer, not from the last request, so that
// a slow network never makes two requests arrive closer than the interval.
// The first poll comes one interval after the code.
func (f *Flow) poll(ctx context.Context, r flows.Request, d oauth.DeviceAuthorization) (oauth.Token, error) {
	p := timing{interval: d.Interval, expiry: d.Expiry}
	wait := p.interval
	for {
		if err := p.pause(ctx, wait); err != nil {
			return oauth.Token{}, err
		}
		t, err := r.Client.DeviceToken(ctx, d.DeviceCode, r.Resource)
		if err == nil {
			return t, nil
		}
		if ctx.Err() != nil {
			return oauth.Token{}, ctx.Err()
		}
		status := p.after(err)
		if status == Failed {
			return oauth.Token{}, fmt.Errorf("wait for approval: %w", pollError(err))
		}
		wait = p.wait(err)
		f.report(ctx, Poll{Status: status, Next: time.Now().Add(wait), Err: unreachable(status, err)})
	}
}

func unreachable(s Status, err error) error {
	if s != Unreachable {
		return nil
	}
	return err
}

// timing says when to poll for one code.
type timing struct {
	interval  time.Duration // at least this long between polls
	expiry    time.Time     // zero: the server alone knows
	slowDowns int           // answered so far
	faults    int           // since the server last answered
	errors    int           // of those, answers with a 5xx
}

// after takes note of an answer. Failed means that it is the last one. The
// code counts before the HTTP status: servers answer authorization_pending
// with odd ones.
func (p *timing) after(err error) Status {
	switch {
	case oauth.IsCode(err, oauth.CodeAuthorizationPending):
		p.faults, p.errors = 0, 0
		return Pending
	case oauth.IsCode(err, oauth.CodeSlowDown):
		p.faults, p.errors = 0, 0
		p.slowDowns++
		p.interval += slowDownStep // for this and all later polls
		return SlowDown
	case oauth.Temporary(err) && p.tolerates(err):
		p.faults++
		return Unreachable
	default:
		return Failed
	}
}

// tolerates reports whether a fault may still end. A server that answers with errors
// only, unlike one that cannot be reached, will not recover while a person waits.
func (p *timing) tolerates(err error) bool {
	if e, ok := errors.AsType[*oauth.Error](err); ok && e.Status >= 500 {
		p.errors++
	}
	return p.errors < maxErrors
}

// wait returns how long to wait before the next poll: never less than the
// interval, nor than what the server asked for by Retry-After.
func (p *timing) wait(err error) time.Duration {
	wait := max(p.interval+p.margin(), p.backoff())
	if e, ok := errors.AsType[*oauth.Error](err); ok {
		wait = max(wait, e.RetryAfter)
	}
	return wait
}

// margin guards against a clock of ours that runs fast. The monotonic clock
// of some virtual machines gains several percent, so that the exact interval
// is too short by the server's clock, and as the server adds 5 s with us, each
// wait is too short again (https://github.com/cli/cli/issues/9370). A client
// that waits as this one does gets slow_down for hardly another reason. So
// every slow_down adds a fifth of the interval, up to the whole, until the
// server is content. Without a slow_down the interval is kept exactly.
func (p *timing) margin() time.Duration {
	return min(p.interval, p.interval/marginDivisor*time.Duration(p.slowDowns))
}

// backoff doubles the interval with each fault in a row (RFC 8628 §3.5), up to
// a minute. It leaves room for a last try one interval before the code expires.
func (p *timing) backoff() time.Duration {
	if p.faults == 0 {
		return 0
	}
	d := p.interval
	for range p.faults {
		d = min(d*2, maxBackoff)
	}
	if left := time.Until(p.expiry); !p.expiry.IsZero() {
		d = min(d, left-p.interval)
	}
	return d
}

// pause waits for d, or returns why there is nothing to wait for: ctx ended,
// or the code expired by our clock. It gives up when the code expires, not
// when d is over.
func (p *timing) pause(ctx context.Context, d time.Duration) error {
	if !p.expiry.IsZero() {
		d = min(d, time.Until(p.expiry))
	}
	start := time.Now()
	if err := sleep(ctx, d); err != nil {
		return err
	}
	if err := sleep(ctx, remaining(d, start, time.Now())); err != nil {
		return err
	}
	if !p.expiry.IsZero() && !time.Now().Before(p.expiry) {
		return flows.ErrExpired
	}
	return nil
}

// remaining returns how much of d is missing by the wall clock, which is
// corrected where a monotonic clock that runs fast is not. It is never more
// than d, so that a wall clock set back does not stall the polling.
func remaining(d time.Duration, start, end time.Time) time.Duration {
	wall := end.Round(0).Sub(start.Round(0)) // Round strips the monotonic reading
	return min(d, d-wall)
}

// sleep waits until d has passed or ctx ends.
func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
