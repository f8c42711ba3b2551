// Package vault keeps secrets in HashiCorp Vault, KV version 2.
//
//	client, err := api.NewClient(api.DefaultConfig()) // VAULT_ADDR, VAULT_TOKEN, ...
//	store, err := vault.Open(vault.Config{Client: client, Mount: "secret", Prefix: "mcp-login"})
//
// How to reach Vault (address, TLS, proxy, namespace, retries) is the client's
// affair; who one is there is its token or [Config.Auth]: [AppRole] or [JWT]
// (a CI's id token, a Kubernetes service account). [Store.Policy] is all that
// the token must be allowed. A long run calls [Store.KeepAlive].
//
// # Several hosts
//
// Every write is a check-and-set, so no writer overwrites what
// it has not seen, however late its request arrives. [Store.Lock] is a lease:
// a record next to the secret, taken and renewed by check-and-set. A holder
// that stops renewing (killed, stopped, cut off) is overtaken after
// [Config.Lease]. When it comes back it may still believe that it holds the
// lock, which is why the version that it read is its fence: the winner has
// written since, so the late Put is refused with secrets.ErrConflict. Clocks of
// hosts are never compared. How old a lease is, is what one waiter measured
// itself or what Vault says by its own clock.
//
// Vault counts versions from 1 again once a record was deleted. A copy of a
// request is therefore harmless only if the network does not keep it until the
// record was deleted and created again.
//
// KV version 1 has no check-and-set. A mount of that version is refused with a
// [VersionError].
//
// # Security
//
// A record is written only where Vault keeps one version (max_versions 1), so
// that no old refresh token can be read back; Delete removes metadata and all
// versions. Vault encrypts at rest; anyone who may read the path sees the record.
// Errors carry paths and what Vault said, never a token or a record.
//
// # Stability
//
// Exported names follow semantic versioning. Records carry a format number;
// old formats stay readable and unknown ones are left alone.
package vault

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/hashicorp/vault/api"

	"github.com/mcp-login/mcp-login/secrets"
)

// defaultLease is long enough for a slow refresh between two renewals, and
// short enough to wait for when a holder died.
const defaultLease = 15 * time.Second

// minBound is the least that a change of a record may take, whatever the lease.
const minBound = time.Minute

// Config says where the records are.
type Config struct {
	// Client reaches Vault. Required; Open takes it over: it turns on
	// read-your-writes, narrows retries, and with Auth sets the token.
	Client *api.Client
	// Mount is the path of the KV mount, such as "secret". Required.
	Mount string
	// Prefix is the folder of the records in the mount, such as "mcp-login". Required.
	Prefix string
	// Versioned says that the mount is known to be KV version 2. False asks Vault
	// once, unless the first read finds a record.
	Versioned bool
	// Auth logs in to Vault, again when its token ends; nil: the client's token.
	Auth api.AuthMethod
	// Holder names this process in leases, for people; "": nothing.
	Holder string
	// Lease is how long a holder that died keeps the lock; 0: 15 s. All
	// processes should use the same.
	Lease time.Duration
}

// Store is a [secrets.Store] in Vault. Open makes one.
type Store struct {
	wire   *wire
	prefix string
	holder string
	lease  time.Duration

	mount     *kv2
	versioned atomic.Bool // the mount is known to be KV version 2
}

var _ secrets.Store = (*Store)(nil)

// Open returns the store that c describes. It sends no request.
func Open(c Config) (*Store, error) {
	mount, prefix := strings.Trim(c.Mount, "/"), strings.Trim(c.Prefix, "/")
	switch {
	case c.Client == nil:
		return nil, errors.New("vault store: no client")
	case !isPath(mount):
		return nil, fmt.Errorf("vault store: %q is not the path of a mount", c.Mount)
	case !isPath(prefix):
		return nil, fmt.Errorf("vault store: %q is not the path of a folder", c.Prefix)
	}
	c.Client.SetReadYourWrites(true) // who takes a lease sees what was written under the last one
	retryUnlessOnce(c.Client)
	s := &Store{prefix: prefix, holder: c.Holder, lease: c.Lease}
	if s.lease == 0 {
		s.lease = defaultLease
	}
	s.wire = &wire{client: c.Client, mount: mount, prefix: prefix, login: &login{client: c.Client, method: c.Auth}}
	s.mount = &kv2{wire: s.wire, lease: s.lease}
	s.versioned.Store(c.Versioned)
	return s, nil
}

// Get implements [secrets.Store]. It is one request.
func (s *Store) Get(ctx context.Context, name string) ([]byte, secrets.Version, error) {
	if err := check(ctx, name); err != nil {
		return nil, secrets.Absent, err
	}
	e, err := s.read(ctx, s.key(name))
	switch {
	case err != nil:
		return nil, secrets.Absent, fmt.Errorf("record %q: %w", name, err)
	case e.state != live:
		return nil, secrets.Absent, fmt.Errorf("%w: %q", secrets.ErrNotFound, name)
	}
	return slices.Concat(e.Record...), e.id, nil
}

// Put implements [secrets.Store]. An answer that got lost is looked up, so that
// a write of our own is not taken for somebody else's.
func (s *Store) Put(ctx context.Context, name string, data []byte, prev secrets.Version) (secrets.Version, error) {
	if err := check(ctx, name); err != nil {
		return secrets.Absent, err
	}
	within, cancel := s.bounded(ctx)
	defer cancel()
	kv, err := s.kv(within)
	if err != nil {
		return secrets.Absent, fmt.Errorf("record %q: %w", name, err)
	}
	v, err := kv.put(within, s.key(name), newPayload(data), prev)
	if err != nil {
		return secrets.Absent, fmt.Errorf("record %q: %w", name, late(ctx, within, err))
	}
	return v, nil
}

// bounded returns the context of one change. Writers wait for one another, and
// for a dead one at most for the time of two leases; what takes longer does not
// end by itself.
func (s *Store) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, max(4*s.lease, minBound))
}

// Delete implements [secrets.Store].
func (s *Store) Delete(ctx context.Context, name string, prev secrets.Version) error {
	if err := check(ctx, name); err != nil {
		return err
	}
	within, cancel := s.bounded(ctx)
	defer cancel()
	kv, err := s.kv(within)
	if err == nil {
		err = kv.remove(within, s.key(name), prev)
	}
	if err != nil {
		return fmt.Errorf("record %q: %w", name, late(ctx, within, err))
	}
	return nil
}

// List implements [secrets.Store].
func (s *Store) List(ctx context.Context) ([]string, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	kv, err := s.kv(ctx)
	if err != nil {
		return nil, err
	}
	keys, err := kv.list(ctx, s.prefix)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, key := range keys {
		if name, ok := unescape(key); ok { // folders and foreign secrets are not ours
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, nil
}

// Probe writes, replaces, reads, lists, locks and deletes a record that no name
// collides with. It needs every capability of [Policy].
func (s *Store) Probe(ctx context.Context) error {
	within, cancel := s.bounded(ctx)
	defer cancel()
	return late(ctx, within, s.probeAll(within))
}

func (s *Store) probeAll(ctx context.Context) error {
	kv, err := s.kv(ctx)
	if err != nil {
		return err
	}
	p := newPayload([]byte("probe"))
	name := "~probe-" + p.Write
	key := s.prefix + "/" + name
	v, err := kv.put(ctx, key, p, secrets.Absent)
	if err != nil {
		return err
	}
	if err := s.probe(ctx, kv, key, v); err != nil {
		return err
	}
	h, err := s.take(ctx, kv, s.prefix+"/~lease/"+name, "the record of a probe")
	if err != nil {
		return err
	}
	h.release(ctx)
	if err := kv.remove(ctx, h.key, secrets.Any); err != nil {
		return err
	}
	_, err = kv.list(ctx, s.prefix)
	return err
}

// probe goes on with a record that was created.
func (s *Store) probe(ctx context.Context, kv *kv2, key string, v secrets.Version) error {
	if _, err := kv.put(ctx, key, newPayload(nil), secrets.Absent); !errors.Is(err, secrets.ErrConflict) {
		return cmp.Or(err, fmt.Errorf("%w: vault ignores check-and-set", secrets.ErrUnavailable))
	}
	v, err := kv.put(ctx, key, newPayload([]byte("again")), v)
	if err != nil {
		return err
	}
	if e, err := kv.read(ctx, key); err != nil || e.id != v {
		return cmp.Or(err, fmt.Errorf("%w: the data read back differs from the data written", secrets.ErrUnavailable))
	}
	return kv.remove(ctx, key, v)
}

// key returns the path of a name's record below the mount. No name is escaped
// to the path of the internal record, so that List, which takes paths for names,
// leaves it out in every version of this program.
func (s *Store) key(name string) string {
	if name == secrets.Internal {
		return s.prefix + "/~internal"
	}
	return s.prefix + "/" + escape(name)
}

// check returns the error that every method returns before any request.
func check(ctx context.Context, name string) error {
	if err := secrets.CheckRecord(name); err != nil {
		return err
	}
	return ctx.Err()
}
