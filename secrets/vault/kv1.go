package vault

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"time"

	"github.com/mcp-login/mcp-login/secrets"
)

// kv1 is a mount of KV version 1: no versions and no check-and-set. A write
// compares under a lease of its own, apart from that of [Store.Lock].
type kv1 struct {
	wire  *wire
	store *Store
}

func (k *kv1) at(key string) string { return k.wire.mount + "/" + key }

func (k *kv1) read(ctx context.Context, key string) (entry, error) {
	var answer struct {
		Data json.RawMessage `json:"data"`
	}
	_, missing, err := k.wire.read(ctx, k.at(key), &answer)
	if err != nil || missing {
		return entry{state: absent}, err
	}
	e := entry{state: live}
	if err := json.Unmarshal(answer.Data, &e.payload); err != nil {
		return e, fmt.Errorf("%w: it is not in a form of this program", secrets.ErrUndecryptable)
	}
	e.id = secrets.Version(e.Write)
	return e, e.known()
}

// swap is for leases. It follows M. Fischer's algorithm (L. Lamport, "A Fast
// Mutual Exclusion Algorithm", 1987): who saw the lease free writes himself in,
// waits until every other who saw it free too must have written, and has it if
// he still stands there. A write that itself took too long does not count.
func (k *kv1) swap(ctx context.Context, key string, prev entry, p payload) (entry, error) {
	begun := time.Now()
	now, err := k.read(ctx, key)
	switch {
	case err != nil && !errors.Is(err, secrets.ErrUndecryptable):
		return entry{}, err
	case now.id != prev.id:
		return entry{}, secrets.ErrConflict
	}
	e, err := k.write(ctx, key, p)
	if err != nil || p.Lease.ID == "" || prev.heldBy(p.Lease.ID) {
		return e, err // to release or to renew takes nothing from others
	}
	settle := k.store.lease / 50
	if time.Since(begun) > settle {
		return entry{}, secrets.ErrConflict
	}
	select {
	case <-ctx.Done():
		return entry{}, ctx.Err()
	case <-time.After(settle):
	}
	now, err = k.read(ctx, key)
	if err == nil && now.id != e.id {
		err = secrets.ErrConflict
	}
	return now, err
}

func (k *kv1) write(ctx context.Context, key string, p payload) (entry, error) {
	body, err := toMap(p)
	if err != nil {
		return entry{}, err
	}
	if _, err := k.wire.write(ctx, k.at(key), body); err != nil {
		return entry{}, err
	}
	return entry{payload: p, state: live, id: secrets.Version(p.Write)}, nil
}

func (k *kv1) put(ctx context.Context, key string, p payload, prev secrets.Version) (v secrets.Version, err error) {
	err = k.alone(ctx, key, prev, func(ctx context.Context, now entry) error {
		if now.state == absent && prev != secrets.Absent && prev != secrets.Any {
			return secrets.ErrConflict
		}
		e, err := k.write(ctx, key, p)
		v = e.id
		return err
	})
	return v, err
}

func (k *kv1) remove(ctx context.Context, key string, prev secrets.Version) error {
	return k.alone(ctx, key, prev, func(ctx context.Context, now entry) error {
		if now.state == absent {
			return secrets.ErrNotFound
		}
		return k.wire.delete(ctx, k.at(key))
	})
}

// alone compares and runs a step under a lease of the record. The step must end
// within half of its time, since there is no fence.
func (k *kv1) alone(ctx context.Context, key string, prev secrets.Version, step func(ctx context.Context, now entry) error) error {
	folder, segment := path.Split(key)
	h, err := k.store.take(ctx, k, folder+"~write/"+segment, "the record "+k.at(key))
	if err != nil {
		return err
	}
	defer h.release(context.WithoutCancel(ctx))
	within, cancel := context.WithTimeout(ctx, k.store.lease/2)
	defer cancel()
	now, err := k.read(within, key)
	switch {
	case err != nil && !(prev == secrets.Any && errors.Is(err, secrets.ErrUndecryptable)):
		return err
	case prev != secrets.Any && prev != now.id && now.state != absent:
		return secrets.ErrConflict
	}
	return late(ctx, within, step(within, now))
}

// toMap is what Vault's client wants for a body.
func toMap(p payload) (map[string]any, error) {
	text, err := json.Marshal(p)
	if err != nil {
		return nil, err
	}
	var body map[string]any
	return body, json.Unmarshal(text, &body)
}

func (k *kv1) list(ctx context.Context, folder string) ([]string, error) {
	return k.wire.list(ctx, k.at(folder))
}
