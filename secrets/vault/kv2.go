package vault

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/mcp-login/mcp-login/secrets"
)

// kv2 is a mount of KV version 2: every write is a check-and-set. A key is a path
// below the mount.
//
// Version numbers restart at 1 after a path was removed. A record's
// secrets.Version is therefore the number plus the time of the write, and a
// write compares both: the time by a preceding read, the number by
// check-and-set.
type kv2 struct {
	conn  *conn
	lease time.Duration
}

// version is Vault's metadata of one version.
type version struct {
	Version      int    `json:"version"`
	CreatedTime  string `json:"created_time"`
	DeletionTime string `json:"deletion_time"` // "": not deleted; it may be in the future
	Destroyed    bool   `json:"destroyed"`
}

// deleted reports whether the version was deleted before now, which has a
// resolution of one second.
func (v version) deleted(now time.Time) bool {
	t, err := time.Parse(time.RFC3339Nano, v.DeletionTime)
	return v.Destroyed || err == nil && t.Before(now.Add(time.Second))
}

func (v version) id() secrets.Version {
	return secrets.Version(fmt.Sprintf("%d@%s", v.Version, v.CreatedTime))
}

func (k *kv2) dataPath(key string) string { return k.conn.mount + "/data/" + key }
func (k *kv2) metaPath(key string) string { return k.conn.mount + "/metadata/" + key }

func (k *kv2) read(ctx context.Context, key string) (entry, error) {
	var response struct {
		Data struct {
			Data     json.RawMessage `json:"data"`
			Metadata version         `json:"metadata"`
		} `json:"data"`
	}
	now, missing, err := k.conn.read(ctx, k.dataPath(key), &response)
	v := response.Data.Metadata
	switch {
	case err != nil:
		return entry{}, err
	case v.Version == 0 && missing:
		return entry{state: absent}, nil
	case v.Version == 0:
		return entry{}, fmt.Errorf("%w: %s: %w", secrets.ErrUnavailable, k.dataPath(key), errResponse)
	case missing:
		return entry{state: deletedElsewhere, n: v.Version, id: v.id()}, nil
	}
	e := entry{state: live, n: v.Version, id: v.id(), age: age(now, v.CreatedTime)}
	if err := json.Unmarshal(response.Data.Data, &e.payload); err != nil {
		return e, fmt.Errorf("%w: it was not written by mcp-login", secrets.ErrUndecryptable)
	}
	if e.Deleted {
		e.state = tombstone
	}
	return e, e.checkFormat()
}

// age returns the time since a write. Both times are by Vault's clock.
func age(now time.Time, created string) time.Duration {
	t, err := time.Parse(time.RFC3339Nano, created)
	if err != nil || now.IsZero() {
		return 0
	}
	return max(now.Sub(t), 0)
}

// swap replaces exactly the entry prev, else returns ErrConflict. If a response
// is lost, it cannot distinguish its own write from another one.
func (k *kv2) swap(ctx context.Context, key string, prev entry, p payload) (entry, error) {
	data, err := k.conn.write(ctx, k.dataPath(key), map[string]any{
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
		return entry{}, fmt.Errorf("%w: %s: %w", secrets.ErrUnavailable, k.dataPath(key), errResponse)
	}
	v := version{Version: int(number), CreatedTime: created}
	return entry{payload: p, state: live, n: v.Version, id: v.id()}, nil
}

// swapVerified is swap for a payload with a unique Write ID. If the response is
// lost, or belongs to a retry of the request, it reads the entry to check
// whether its own write succeeded.
func (k *kv2) swapVerified(ctx context.Context, key string, prev entry, p payload) (entry, error) {
	e, err := k.swap(ctx, key, prev, p)
	if !errors.Is(err, secrets.ErrConflict) && !errors.Is(err, secrets.ErrTemporary) {
		return e, err
	}
	now, readErr := k.read(ctx, key)
	switch {
	case readErr == nil && now.Write == p.Write:
		return now, nil
	case errors.Is(readErr, secrets.ErrTemporary): // unknown whose write succeeded
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

// replace reads the metadata first, to detect a record that was removed and
// recreated, and to check whether Vault keeps old versions.
func (k *kv2) replace(ctx context.Context, key string, p payload, prev secrets.Version) (secrets.Version, error) {
	var response struct {
		Data struct {
			Current  int                `json:"current_version"`
			Max      int                `json:"max_versions"`
			Versions map[string]version `json:"versions"`
		} `json:"data"`
	}
	now, missing, err := k.conn.read(ctx, k.metaPath(key), &response)
	if err != nil {
		return secrets.Absent, err
	}
	latest, listed := response.Data.Versions[fmt.Sprint(response.Data.Current)]
	if !missing && !listed && response.Data.Current != 0 {
		return secrets.Absent, fmt.Errorf("%w: %s: the versions are missing: %w", secrets.ErrUnavailable, k.metaPath(key), errResponse)
	}
	latest.Version = response.Data.Current
	if missing || latest.id() != prev || latest.deleted(now) {
		return secrets.Absent, secrets.ErrConflict
	}
	if response.Data.Max != 1 {
		if err := k.setMaxVersions(ctx, key); err != nil {
			return secrets.Absent, err
		}
	}
	e, err := k.swapVerified(ctx, key, entry{n: latest.Version}, p)
	return e.id, err
}

// setMaxVersions makes Vault destroy the previous version on every write. It creates
// the metadata if needed.
func (k *kv2) setMaxVersions(ctx context.Context, key string) error {
	_, err := k.conn.write(ctx, k.metaPath(key), map[string]any{"max_versions": 1})
	return err
}

// create writes a record that must not exist. It sets max_versions before it
// writes the secret.
func (k *kv2) create(ctx context.Context, key string, p payload) (secrets.Version, error) {
	if err := k.setMaxVersions(ctx, key); err != nil {
		return secrets.Absent, err
	}
	var prev entry
	for w := (leaseWatch{}); ; {
		e, err := k.swapVerified(ctx, key, prev, p)
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

// replaceable returns the entry that a new record may replace, or ErrConflict. It
// waits while another process is about to remove the path, which would remove a new
// record too.
func (k *kv2) replaceable(ctx context.Context, key string) (entry, error) {
	for w := (leaseWatch{lease: k.lease}); ; {
		e, err := k.read(ctx, key)
		switch {
		case err != nil:
			return entry{}, err
		case e.state == live:
			return entry{}, secrets.ErrConflict
		case e.state != tombstone || w.isStale(e):
			return e, nil
		}
		if err := w.wait(ctx); err != nil {
			return entry{}, err
		}
	}
}

// putAny uses check-and-set too, so that a delayed retry of the request cannot
// undo a later write.
func (k *kv2) putAny(ctx context.Context, key string, p payload) (secrets.Version, error) {
	for w := (leaseWatch{}); ; {
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
	w := leaseWatch{lease: k.lease}
	for {
		e, err := k.read(ctx, key)
		if err != nil && !errors.Is(err, secrets.ErrUndecryptable) {
			return err
		}
		switch {
		case e.state == absent, e.state == tombstone && !w.isStale(e):
			return secrets.ErrNotFound
		case e.state == live && prev != secrets.Any && prev != e.id:
			return secrets.ErrConflict
		}
		err = k.removeEntry(ctx, key, e)
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

// removeEntry removes exactly the entry seen. Vault cannot remove a path by
// check-and-set, so removeEntry first replaces the record with a tombstone by
// check-and-set. That destroys the record, and no process writes to the path
// until the tombstone is removed or a lease time has passed. The removal is
// sent within half of that time, and retried only while the tombstone exists: a
// later removal would remove a new record.
func (k *kv2) removeEntry(ctx context.Context, key string, seen entry) error {
	boundCtx, cancel := context.WithTimeout(ctx, k.lease/2)
	defer cancel()
	mark := newPayload(nil)
	mark.Deleted = true
	if _, err := k.swapVerified(boundCtx, key, seen, mark); err != nil {
		return timeoutError(ctx, boundCtx, err)
	}
	for w := (leaseWatch{}); ; {
		err := k.conn.delete(withoutRetry(boundCtx), k.metaPath(key))
		if !errors.Is(err, secrets.ErrTemporary) {
			return timeoutError(ctx, boundCtx, err)
		}
		now, readErr := k.read(boundCtx, key)
		if readErr == nil && now.Write != mark.Write {
			return nil // the response was lost
		}
		if w.wait(boundCtx) != nil {
			return timeoutError(ctx, boundCtx, err)
		}
	}
}

func (k *kv2) list(ctx context.Context, folder string) ([]string, error) {
	return k.conn.list(ctx, k.metaPath(folder))
}
