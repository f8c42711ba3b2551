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
	maxBackoff    = time.Minute     // between retries of an unreachable server
	maxErrors     = 8               // consecutive 5xx responses
	marginDivisor = 5               // each slow_down adds a fifth of the interval
)

// poll polls the token endpoint until a final response or the expiry of the
// code. Each wait starts at the last response, not at the last request, so that
// on a slow network requests never arrive closer together than the interval.
// The first poll follows one interval after the code.
func (f *Flow) poll(ctx context.Context, r flows.Request, d oauth.DeviceAuthorization) (oauth.Token, error) {
	p := timing{interval: d.Interval, expiry: d.Expiry}
	wait := p.interval
	for {
		if err := p.sleep(ctx, wait); err != nil {
			return oauth.Token{}, err
		}
		t, err := r.Client.DeviceToken(ctx, d.DeviceCode, r.Resource)
		if err == nil {
			return t, nil
		}
		if ctx.Err() != nil {
			return oauth.Token{}, ctx.Err()
		}
		status := p.record(err)
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

// timing computes when to poll for one code.
type timing struct {
	interval  time.Duration // minimum time between polls
	expiry    time.Time     // zero: unknown
	slowDowns int           // number of slow_down responses
	failures  int           // consecutive temporary errors
	errors    int           // of those, 5xx responses
}

// record updates the timing after an error response and returns the status.
// Failed ends the polling. The OAuth error code takes precedence over the HTTP
// status: servers send authorization_pending with various statuses.
func (p *timing) record(err error) Status {
	switch {
	case oauth.IsCode(err, oauth.CodeAuthorizationPending):
		p.failures, p.errors = 0, 0
		return Pending
	case oauth.IsCode(err, oauth.CodeSlowDown):
		p.failures, p.errors = 0, 0
		p.slowDowns++
		p.interval += slowDownStep // for this and all later polls
		return SlowDown
	case oauth.Temporary(err) && p.mayRecover(err):
		p.failures++
		return Unreachable
	default:
		return Failed
	}
}

// mayRecover reports whether a temporary error may go away. A server that keeps
// responding with 5xx, unlike an unreachable one, will not recover while the user
// waits.
func (p *timing) mayRecover(err error) bool {
	if e, ok := errors.AsType[*oauth.Error](err); ok && e.Status >= 500 {
		p.errors++
	}
	return p.errors < maxErrors
}

// wait returns how long to wait before the next poll: at least the interval and
// the server's Retry-After.
func (p *timing) wait(err error) time.Duration {
	wait := max(p.interval+p.margin(), p.backoff())
	if e, ok := errors.AsType[*oauth.Error](err); ok {
		wait = max(wait, e.RetryAfter)
	}
	return wait
}

// margin compensates for a local clock that runs fast. The monotonic clock of
// some virtual machines gains several percent, so the exact interval is too
// short by the server's clock. The server also adds 5 s for each slow_down, so
// each wait is too short again (https://github.com/cli/cli/issues/9370). This
// client gets slow_down for hardly any other reason, so each slow_down adds a
// fifth of the interval, up to the whole interval. Without a slow_down the
// margin is 0.
func (p *timing) margin() time.Duration {
	return min(p.interval, p.interval/marginDivisor*time.Duration(p.slowDowns))
}

// backoff doubles the interval with each consecutive failure (RFC 8628 §3.5),
// up to a minute. It leaves time for a last attempt one interval before the
// code expires.
func (p *timing) backoff() time.Duration {
	if p.failures == 0 {
		return 0
	}
	d := p.interval
	for range p.failures {
		d = min(d*2, maxBackoff)
	}
	if left := time.Until(p.expiry); !p.expiry.IsZero() {
		d = min(d, left-p.interval)
	}
	return d
}

// sleep waits for d. It returns an error when ctx ends or, even before d has
// passed, when the code expires.
func (p *timing) sleep(ctx context.Context, d time.Duration) error {
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

// remaining returns the part of d that has not passed by the wall clock, which
// is corrected (NTP), unlike a fast monotonic clock. It is at most d, so that a
// wall clock that is set back does not stall the polling.
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
