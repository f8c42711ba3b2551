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

// Waiting for somebody else starts short, since a refresh takes a tenth of a
// second, and grows to a rate that hundreds of waiters may have.
const (
	firstWait = 20 * time.Millisecond
	maxWait   = 400 * time.Millisecond
	unlocking = 3 * time.Second // an unlock does not wait for Vault longer
)

// lease is the right to do something alone, for a time.
type lease struct {
	ID     string `json:"id"`               // of one successful Lock, "": nobody holds it
	Holder string `json:"holder,omitempty"` // for people
	TTL    string `json:"ttl"`              // how long it lasts unless it is renewed
	// Expires is for people too: it is by the holder's clock.
	Expires time.Time `json:"expires,omitzero"`
}

// Lock implements [secrets.Store] by a lease that is renewed until unlock.
// Unlock returns within 3 s though Vault be away; the lease then ends by itself.
func (s *Store) Lock(ctx context.Context, name string) (unlock func(), err error) {
	if err := check(ctx, name); err != nil {
		return nil, err
	}
	kv, err := s.kv(ctx)
	if err != nil {
		return nil, fmt.Errorf("lock %q: %w", name, err)
	}
	h, err := s.take(ctx, kv, s.prefix+"/~lease/"+escape(name), fmt.Sprintf("record %q", name))
	if err != nil {
		return nil, fmt.Errorf("lock %q: %w", name, err)
	}
	return h.keep(context.WithoutCancel(ctx)), nil
}

// held is a lease of ours.
type held struct {
	store *Store
	kv    *kv2
	key   string
	id    string
	last  entry // what our last write was
}

// take waits for a lease of what is named by what, and takes it. It reads after
// every write that was not answered with success, since the answer may be that of
// a copy, or lost.
func (s *Store) take(ctx context.Context, kv *kv2, key, what string) (*held, error) {
	h := &held{store: s, kv: kv, key: key, id: rand.Text()}
	waiting := secrets.NewWaiting(what)
	w := watch{lease: s.lease}
	for {
		e, err := kv.read(ctx, key)
		switch {
		case err != nil && !errors.Is(err, secrets.ErrUndecryptable):
			return nil, err
		case e.heldBy(h.id):
			h.last = e
			return h, nil
		case e.free() || w.over(e):
			h.last, err = kv.swap(ctx, key, e, h.payload(s.lease))
			if err == nil {
				return h, nil
			}
			if !errors.Is(err, secrets.ErrConflict) && !errors.Is(err, secrets.ErrTemporary) {
				h.release(context.WithoutCancel(ctx)) // nobody waits any longer
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
func (h *held) keep(ctx context.Context) (unlock func()) {
	renewing, stop := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { h.renew(renewing) })
	return sync.OnceFunc(func() {
		stop()
		wg.Wait()
		h.release(ctx)
	})
}

// renew writes the lease again before it ends. It gives up when somebody else
// holds it: the fence then keeps our late writes out.
func (h *held) renew(ctx context.Context) {
	ttl := h.store.lease
	for wait := ttl / 3; ; {
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		wait = ttl / 3
		within, cancel := context.WithTimeout(ctx, ttl/3)
		e, err := h.kv.swap(within, h.key, h.last, h.payload(ttl))
		if err != nil { // was it ours, with a lost answer?
			e, err = h.kv.read(within, h.key)
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

// release frees the lease if it is still ours. It writes and never removes, so
// that version numbers only grow: that is what makes every late write of a
// lease fail. It is best effort, since a lease that stays ends by itself.
func (h *held) release(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, unlocking)
	defer cancel()
	free := newPayload(nil)
	free.Lease = &lease{}
	for w := (watch{}); ; { // an answer may get lost, and a renewal have an unknown end
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

func (h *held) payload(ttl time.Duration) payload {
	p := newPayload(nil)
	p.Lease = &lease{
		ID:      h.id,
		Holder:  h.store.holder,
		TTL:     ttl.String(),
		Expires: time.Now().UTC().Add(ttl).Truncate(time.Second),
	}
	return p
}

// free is false for what we cannot read: it may be somebody's.
func (e entry) free() bool {
	return e.state != live || e.Lease != nil && e.Lease.ID == ""
}

func (e entry) heldBy(id string) bool { return e.state == live && e.Lease != nil && e.Lease.ID == id }

// holder returns who has the lease, as far as it says.
func (e entry) holder() string {
	if e.Lease == nil {
		return ""
	}
	return e.Lease.Holder
}

// watch decides when what somebody left in a path no longer counts. The zero
// value with a lease is ready.
type watch struct {
	lease time.Duration
	id    secrets.Version // seen last
	since time.Time       // and first at this time
	pause time.Duration
}

// over reports whether the last write is so old that the writer counts
// as dead: for a lease's time by our own watching, or twice that by Vault's
// clock. The second is for programs that do not live as long as a lease; it is
// doubled since Vault may be a cluster, whose clocks differ a little.
func (w *watch) over(e entry) bool {
	lasts := w.lease
	if e.Lease != nil {
		if ttl, err := time.ParseDuration(e.Lease.TTL); err == nil {
			lasts = ttl // the holder renews by its own setting
		}
	}
	if e.id != w.id {
		w.id, w.since = e.id, time.Now()
	}
	return e.age > 2*lasts || time.Since(w.since) >= lasts
}

// wait sleeps for a random time that grows from call to call.
func (w *watch) wait(ctx context.Context) error {
	w.pause = min(max(w.pause*3/2, firstWait), maxWait)
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(w.pause/2 + mathrand.N(w.pause/2)):
		return nil
	}
}
