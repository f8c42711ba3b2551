package vault

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/mcp-login/mcp-login/secrets"
)

// kv2 is a mount of KV version 2: every write names the version it replaces. A key
// is a path below the mount.
//
// Version numbers start at 1 again after a path was removed. A record's
// secrets.Version is therefore the number with the time of the write, and a
// write compares both: the time by a read before it, the number in the write.
type kv2 struct {
	wire  *wire
	lease time.Duration
}

// version is Vault's description of one version.
type version struct {
	Version      int    `json:"version"`
	CreatedTime  string `json:"created_time"`
	DeletionTime string `json:"deletion_time"` // "": not deleted; it may be to come
	Destroyed    bool   `json:"destroyed"`
}

// deleted reports whether somebody deleted the version before now, which has
// whole seconds.
func (v version) deleted(now time.Time) bool {
	t, err := time.Parse(time.RFC3339Nano, v.DeletionTime)
	return v.Destroyed || err == nil && t.Before(now.Add(time.Second))
}

func (v version) id() secrets.Version {
	return secrets.Version(fmt.Sprintf("%d@%s", v.Version, v.CreatedTime))
}

func (k *kv2) dataPath(key string) string { return k.wire.mount + "/data/" + key }
func (k *kv2) metaPath(key string) string { return k.wire.mount + "/metadata/" + key }

func (k *kv2) read(ctx context.Context, key string) (entry, error) {
	var answer struct {
		Data struct {
			Data     json.RawMessage `json:"data"`
			Metadata version         `json:"metadata"`
		} `json:"data"`
	}
	now, missing, err := k.wire.read(ctx, k.dataPath(key), &answer)
	v := answer.Data.Metadata
	switch {
	case err != nil:
		return entry{}, err
	case v.Version == 0 && missing:
		return entry{state: absent}, nil
	case v.Version == 0:
		return entry{}, fmt.Errorf("%w: %s: %w", secrets.ErrUnavailable, k.dataPath(key), errAnswer)
	case missing:
		return entry{state: gone, n: v.Version, id: v.id()}, nil
	}
	e := entry{state: live, n: v.Version, id: v.id(), age: age(now, v.CreatedTime)}
	if err := json.Unmarshal(answer.Data.Data, &e.payload); err != nil {
		return e, fmt.Errorf("%w: it was not written by mcp-login", secrets.ErrUndecryptable)
	}
	if e.Deleted {
		e.state = tombstone
	}
	return e, e.known()
}

// age is how long ago Vault wrote something, both times by its own clock.
func age(now time.Time, created string) time.Duration {
	t, err := time.Parse(time.RFC3339Nano, created)
	if err != nil || now.IsZero() {
		return 0
	}
	return max(now.Sub(t), 0)
}

// swap replaces exactly what read saw, else returns ErrConflict. It does not tell
// its own write from another's when an answer is lost.
func (k *kv2) swap(ctx context.Context, key string, prev entry, p payload) (entry, error) {
	data, err := k.wire.write(ctx, k.dataPath(key), map[string]any{
		"data":    p,
		"options": map[string]any{"cas": prev.n},
	})
	if err != nil {
		return entry{}, err
	}
	n, _ := data["version"].(json.Number)
	created, _ := data["created_time"].(string)
	number, err := n.Int64()
	if err != nil || created == "" {
		return entry{}, fmt.Errorf("%w: %s: %w", secrets.ErrUnavailable, k.dataPath(key), errAnswer)
	}
	v := version{Version: int(number), CreatedTime: created}
	return entry{payload: p, state: live, n: v.Version, id: v.id()}, nil
}

// settle is swap for a payload that nobody else writes. When the answer is
// missing, or is that of a second copy of the request, it looks whose write
// is there.
func (k *kv2) settle(ctx context.Context, key string, prev entry, p payload) (entry, error) {
	e, err := k.swap(ctx, key, prev, p)
	if !errors.Is(err, secrets.ErrConflict) && !errors.Is(err, secrets.ErrTemporary) {
		return e, err
	}
	now, readErr := k.read(ctx, key)
	switch {
	case readErr == nil && now.Write == p.Write:
		return now, nil
	case errors.Is(readErr, secrets.ErrTemporary): // whose write is there is not known
		return entry{}, readErr
	}
	return entry{}, err
}

func (k *kv2) put(ctx context.Context, key string, p payload, prev secrets.Version) (secrets.Version, error) {
	switch prev {
	case secrets.Absent:
		return k.create(ctx, key, p)
	case secrets.Any:
		return k.putAny(ctx, key, p)
	}
	return k.replace(ctx, key, p, prev)
}

// replace reads the metadata first: it tells a removed and recreated record
// from the one that the caller read, and whether old versions are kept.
func (k *kv2) replace(ctx context.Context, key string, p payload, prev secrets.Version) (secrets.Version, error) {
	var answer struct {
		Data struct {
			Current  int                `json:"current_version"`
			Max      int                `json:"max_versions"`
			Versions map[string]version `json:"versions"`
		} `json:"data"`
	}
	now, missing, err := k.wire.read(ctx, k.metaPath(key), &answer)
	if err != nil {
		return secrets.Absent, err
	}
	latest, listed := answer.Data.Versions[fmt.Sprint(answer.Data.Current)]
	if !missing && !listed && answer.Data.Current != 0 {
		return secrets.Absent, fmt.Errorf("%w: %s: the versions are missing: %w", secrets.ErrUnavailable, k.metaPath(key), errAnswer)
	}
	latest.Version = answer.Data.Current
	if missing || latest.id() != prev || latest.deleted(now) {
		return secrets.Absent, secrets.ErrConflict
	}
	if answer.Data.Max != 1 {
		if err := k.keepOne(ctx, key); err != nil {
			return secrets.Absent, err
		}
	}
	e, err := k.settle(ctx, key, entry{n: latest.Version}, p)
	return e.id, err
}

// keepOne has Vault destroy the version before at every write. It creates the
// metadata where there is none.
func (k *kv2) keepOne(ctx context.Context, key string) error {
	_, err := k.wire.write(ctx, k.metaPath(key), map[string]any{"max_versions": 1})
	return err
}

// create writes what must not exist. No secret is written before Vault was
// told to keep one version of it.
func (k *kv2) create(ctx context.Context, key string, p payload) (secrets.Version, error) {
	if err := k.keepOne(ctx, key); err != nil {
		return secrets.Absent, err
	}
	var prev entry
	for w := (watch{}); ; {
		e, err := k.settle(ctx, key, prev, p)
		if !errors.Is(err, secrets.ErrConflict) {
			return e.id, err
		}
		if prev, err = k.replaceable(ctx, key); err != nil {
			return secrets.Absent, err
		}
		if err := w.wait(ctx); err != nil {
			return secrets.Absent, err
		}
	}
}

// replaceable returns what a new record may replace, or ErrConflict. It waits while
// somebody is about to remove the path, who would take a new record along.
func (k *kv2) replaceable(ctx context.Context, key string) (entry, error) {
	for w := (watch{lease: k.lease}); ; {
		e, err := k.read(ctx, key)
		switch {
		case err != nil:
			return entry{}, err
		case e.state == live:
			return entry{}, secrets.ErrConflict
		case e.state != tombstone || w.over(e):
			return e, nil
		}
		if err := w.wait(ctx); err != nil {
			return entry{}, err
		}
	}
}

// putAny compares too, so that a copy of the request that arrives late cannot
// undo a later write.
func (k *kv2) putAny(ctx context.Context, key string, p payload) (secrets.Version, error) {
	for w := (watch{}); ; {
		e, err := k.read(ctx, key)
		if err != nil && !errors.Is(err, secrets.ErrUndecryptable) {
			return secrets.Absent, err
		}
		prev := e.id
		if e.state != live {
			prev = secrets.Absent
		}
		v, err := k.put(ctx, key, p, prev)
		if !errors.Is(err, secrets.ErrConflict) {
			return v, err
		}
		if err := w.wait(ctx); err != nil {
			return secrets.Absent, err
		}
	}
}

func (k *kv2) remove(ctx context.Context, key string, prev secrets.Version) error {
	w := watch{lease: k.lease}
	for {
		e, err := k.read(ctx, key)
		if err != nil && !errors.Is(err, secrets.ErrUndecryptable) {
			return err
		}
		switch {
		case e.state == absent, e.state == tombstone && !w.over(e):
			return secrets.ErrNotFound
		case e.state == live && prev != secrets.Any && prev != e.id:
			return secrets.ErrConflict
		}
		err = k.removeSeen(ctx, key, e)
		switch {
		case err == nil && e.state != live:
			return secrets.ErrNotFound
		case !errors.Is(err, secrets.ErrConflict) || prev != secrets.Any && e.state == live:
			return err
		}
		if err := w.wait(ctx); err != nil {
			return err
		}
	}
}

// removeSeen removes exactly what was seen. Vault cannot remove a path by
// check-and-set, so a mark takes the record's place by check-and-set first.
// From then on the record is gone, its bytes too, and nobody writes to the
// path before the mark is, or for the time of a lease. The removal is sent
// within half of that, and again only if the mark is still there: one that
// comes later would take a new record along.
func (k *kv2) removeSeen(ctx context.Context, key string, seen entry) error {
	within, cancel := context.WithTimeout(ctx, k.lease/2)
	defer cancel()
	mark := newPayload(nil)
	mark.Deleted = true
	if _, err := k.settle(within, key, seen, mark); err != nil {
		return late(ctx, within, err)
	}
	for w := (watch{}); ; {
		err := k.wire.delete(once(within), k.metaPath(key))
		if !errors.Is(err, secrets.ErrTemporary) {
			return late(ctx, within, err)
		}
		now, readErr := k.read(within, key)
		if readErr == nil && now.Write != mark.Write {
			return nil // the answer was lost
		}
		if w.wait(within) != nil {
			return late(ctx, within, err)
		}
	}
}

func (k *kv2) list(ctx context.Context, folder string) ([]string, error) {
	return k.wire.list(ctx, k.metaPath(folder))
}
