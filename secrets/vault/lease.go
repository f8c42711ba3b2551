package vault

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"

	mathrand "math/rand/v2"

	"github.com/mcp-login/mcp-login/secrets"
)

// Backoff while waiting for another process: short at first, because a refresh
// takes about 0.1 s, and long enough for hundreds of waiting processes.
const (
	minWait       = 20 * time.Millisecond
	maxWait       = 400 * time.Millisecond
	unlockTimeout = 3 * time.Second // maximum duration of an unlock
)

// lease is a lock with an expiry.
type lease struct {
	ID     string `json:"id"`               // of one successful Lock; "": not held
	Holder string `json:"holder,omitempty"` // for display
	TTL    string `json:"ttl"`              // time until it expires unless renewed
	// Expires is for display: it is by the holder's clock.
	Expires time.Time `json:"expires,omitzero"`
}

// Lock implements [secrets.Store] by a lease that is renewed until unlock.
// Unlock returns within 3 s even if Vault is unreachable; the lease then
// expires.
func (s *Store) Lock(ctx context.Context, name string) (unlock func(), err error) {
	if err := check(ctx, name); err != nil {
		return nil, err
	}
	kv, err := s.kv(ctx)
	if err != nil {
		return nil, fmt.Errorf("lock %q: %w", name, err)
	}
	h, err := s.acquireLease(ctx, kv, s.prefix+"/~lease/"+escape(name), fmt.Sprintf("record %q", name))
	if err != nil {
		return nil, fmt.Errorf("lock %q: %w", name, err)
	}
	return h.keep(context.WithoutCancel(ctx)), nil
}

// heldLease is a lease that this process holds.
type heldLease struct {
	store *Store
	kv    *kv2
	key   string
	id    string
	last  entry // the last write of this process
}

// acquireLease waits for a lease and takes it. Parameter what names it in messages.
// After every write without success it reads the lease, because the response may be
// lost or that of a retry.
func (s *Store) acquireLease(ctx context.Context, kv *kv2, key, what string) (*heldLease, error) {
	h := &heldLease{store: s, kv: kv, key: key, id: rand.Text()}
	waiting := secrets.NewWaiting(what)
	w := leaseWatch{lease: s.lease}
	for {
		e, err := kv.read(ctx, key)
		switch {
		case err != nil && !errors.Is(err, secrets.ErrUndecryptable):
			return nil, err
		case e.heldBy(h.id):
			h.last = e
			return h, nil
		case e.free() || w.isStale(e):
			h.last, err = kv.swap(ctx, key, e, h.payload(s.lease))
			if err == nil {
				return h, nil
			}
			if !errors.Is(err, secrets.ErrConflict) && !errors.Is(err, secrets.ErrTemporary) {
				h.release(context.WithoutCancel(ctx)) // the caller stops waiting
				return nil, err
			}
		}
		waiting.Notice(ctx, e.holder)
		if err := w.wait(ctx); err != nil {
			return nil, waiting.End(err, e.holder())
		}
	}
}

// keep renews the lease until unlock is called.
func (h *heldLease) keep(ctx context.Context) (unlock func()) {
	renewing, stop := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { h.renew(renewing) })
	return sync.OnceFunc(func() {
		stop()
		wg.Wait()
		h.release(ctx)
	})
}

// renew renews the lease before it expires. It stops if another process holds
// it: check-and-set then rejects late writes of this process.
func (h *heldLease) renew(ctx context.Context) {
	ttl := h.store.lease
	for wait := ttl / 3; ; {
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		wait = ttl / 3
		boundCtx, cancel := context.WithTimeout(ctx, ttl/3)
		e, err := h.kv.swap(boundCtx, h.key, h.last, h.payload(ttl))
		if err != nil { // the write may have succeeded with a lost response
			e, err = h.kv.read(boundCtx, h.key)
			wait = ttl / 10
		}
		cancel()
		switch {
		case err == nil && !e.heldBy(h.id):
			return
		case err == nil:
			h.last = e
		}
	}
}

// release releases the lease if this process still holds it. It writes and
// never removes, so that version numbers only grow, and every late write of a
// lease fails. It is best effort, because a lease expires by itself.
func (h *heldLease) release(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, unlockTimeout)
	defer cancel()
	free := newPayload(nil)
	free.Lease = &lease{}
	for w := (leaseWatch{}); ; { // a response may get lost, and the result of a renewal may be unknown
		_, err := h.kv.swap(ctx, h.key, h.last, free)
		if !errors.Is(err, secrets.ErrConflict) && !errors.Is(err, secrets.ErrTemporary) {
			return
		}
		e, err := h.kv.read(ctx, h.key)
		switch {
		case err == nil && !e.heldBy(h.id):
			return
		case err == nil:
			h.last = e
		}
		if w.wait(ctx) != nil {
			return
		}
	}
}

func (h *heldLease) payload(ttl time.Duration) payload {
	p := newPayload(nil)
	p.Lease = &lease{
		ID:      h.id,
		Holder:  h.store.holder,
		TTL:     ttl.String(),
		Expires: time.Now().UTC().Add(ttl).Truncate(time.Second),
	}
	return p
}

// free reports whether the lease is not held. An unreadable entry counts as
// held.
func (e entry) free() bool {
	return e.state != live || e.Lease != nil && e.Lease.ID == ""
}

func (e entry) heldBy(id string) bool { return e.state == live && e.Lease != nil && e.Lease.ID == id }

// holder returns who holds the lease; "" if unknown.
func (e entry) holder() string {
	if e.Lease == nil {
		return ""
	}
	return e.Lease.Holder
}

// leaseWatch decides when a lease or tombstone of another process has expired.
// Field lease must be set for isStale.
type leaseWatch struct {
	lease   time.Duration
	id      secrets.Version // of the entry seen last
	since   time.Time       // when that entry was first seen
	backoff time.Duration
}

// isStale reports whether the entry has not changed for long enough that its
// writer counts as dead: for the lease's TTL as observed here, or twice the TTL
// by Vault's clock. The latter is for processes that run for less than a TTL;
// it is doubled because the clocks of a Vault cluster may differ slightly.
func (w *leaseWatch) isStale(e entry) bool {
	lasts := w.lease
	if e.Lease != nil {
		if ttl, err := time.ParseDuration(e.Lease.TTL); err == nil {
			lasts = ttl // the holder renews by its own TTL
		}
	}
	if e.id != w.id {
		w.id, w.since = e.id, time.Now()
	}
	return e.age > 2*lasts || time.Since(w.since) >= lasts
}

// wait waits with exponential backoff and jitter.
func (w *leaseWatch) wait(ctx context.Context) error {
	w.backoff = min(max(w.backoff*3/2, minWait), maxWait)
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(w.backoff/2 + mathrand.N(w.backoff/2)):
		return nil
	}
}
