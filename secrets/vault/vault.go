// Package vault stores secrets in HashiCorp Vault, KV version 2.
//
//	client, err := api.NewClient(api.DefaultConfig()) // VAULT_ADDR, VAULT_TOKEN, ...
//	store, err := vault.Open(vault.Config{Client: client, Mount: "secret", Prefix: "mcp-login"})
//
// The API client has the connection settings (address, TLS, proxy, namespace,
// retries). Authentication is the client's token or [Config.Auth]: [AppRole] or
// [JWT] (a CI job's ID token, a Kubernetes service account). [Policy] returns
// the policy that the token needs. A long-running program calls
// [Store.KeepAlive].
//
// # Several hosts
//
// Every write is a check-and-set, so no writer overwrites a version that it has
// not read, even if its request arrives late. [Store.Lock] is a lease: a record
// next to the secret, taken and renewed by check-and-set. If a holder stops
// renewing (killed, suspended, disconnected), another process takes the lease
// after [Config.Lease]. The old holder may still believe that it holds the
// lock, so the version that it read serves as a fencing token: the new holder
// has written since, and the late Put returns secrets.ErrConflict. Clocks of
// hosts are never compared. The age of a lease is measured by each waiting
// process, or by Vault's clock.
//
// Vault's version numbers restart at 1 after a record was deleted. A duplicate
// of a request is therefore harmless only if it does not arrive after the
// record was deleted and created again.
//
// KV version 1 has no check-and-set. A mount of that version is a
// [VersionError].
//
// # Security
//
// A record is written only after max_versions is set to 1, so that no old refresh
// token can be read; Delete removes metadata and all versions. Vault encrypts at
// rest; anyone with read access to the path can read the record. Errors contain
// paths and Vault's error text, never a token or a record.
//
// # Stability
//
// Exported names follow semantic versioning. Records have a format number; old
// formats stay readable and unknown ones are never overwritten.
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
// short enough to wait for after a holder died.
const defaultLease = 15 * time.Second

// minWriteTimeout is the minimum timeout of a write, for any lease.
const minWriteTimeout = time.Minute

// Config says where the records are.
type Config struct {
	// Client is the API client. Required. Open modifies it: it enables
	// read-your-writes, limits retries, and with Auth sets the token.
	Client *api.Client
	// Mount is the path of the KV mount, such as "secret". Required.
	Mount string
	// Prefix is the folder of the records in the mount, such as "mcp-login". Required.
	Prefix string
	// Versioned means that the mount is known to be KV version 2. If false, the
	// version is checked once, unless the first read finds a record.
	Versioned bool
	// Auth logs in to Vault, and again when its token expires; nil: the client's
	// token.
	Auth api.AuthMethod
	// Holder names this process in leases, for display; "": none.
	Holder string
	// Lease is how long the lock of a dead process stays held; 0: 15 s. All
	// processes should use the same value.
	Lease time.Duration
}

// Store is a [secrets.Store] in Vault. Use [Open] to make one.
type Store struct {
	conn   *conn
	prefix string
	holder string
	lease  time.Duration

	mount     *kv2
	versioned atomic.Bool // the mount is known to be KV version 2
}

var _ secrets.Store = (*Store)(nil)

// Open returns a store. It sends no request.
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
	c.Client.SetReadYourWrites(true) // the new holder of a lease must see the writes of the previous one
	setRetryPolicy(c.Client)
	s := &Store{prefix: prefix, holder: c.Holder, lease: c.Lease}
	if s.lease == 0 {
		s.lease = defaultLease
	}
	s.conn = &conn{client: c.Client, mount: mount, prefix: prefix, login: &login{client: c.Client, method: c.Auth}}
	s.mount = &kv2{conn: s.conn, lease: s.lease}
	s.versioned.Store(c.Versioned)
	return s, nil
}

// Get implements [secrets.Store]. It usually sends one request.
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

// Put implements [secrets.Store]. After a lost response it reads the record, to
// distinguish its own write from that of another process.
func (s *Store) Put(ctx context.Context, name string, data []byte, prev secrets.Version) (secrets.Version, error) {
	if err := check(ctx, name); err != nil {
		return secrets.Absent, err
	}
	boundCtx, cancel := s.withWriteTimeout(ctx)
	defer cancel()
	kv, err := s.kv(boundCtx)
	if err != nil {
		return secrets.Absent, fmt.Errorf("record %q: %w", name, err)
	}
	v, err := kv.put(boundCtx, s.key(name), newPayload(data), prev)
	if err != nil {
		return secrets.Absent, fmt.Errorf("record %q: %w", name, timeoutError(ctx, boundCtx, err))
	}
	return v, nil
}

// withWriteTimeout returns the context of one write. Writers wait for each other, and
// for a dead one at most twice the lease time, so a write that takes longer will not
// succeed.
func (s *Store) withWriteTimeout(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, max(4*s.lease, minWriteTimeout))
}

// Delete implements [secrets.Store].
func (s *Store) Delete(ctx context.Context, name string, prev secrets.Version) error {
	if err := check(ctx, name); err != nil {
		return err
	}
	boundCtx, cancel := s.withWriteTimeout(ctx)
	defer cancel()
	kv, err := s.kv(boundCtx)
	if err == nil {
		err = kv.remove(boundCtx, s.key(name), prev)
	}
	if err != nil {
		return fmt.Errorf("record %q: %w", name, timeoutError(ctx, boundCtx, err))
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
		if name, ok := unescape(key); ok { // skip folders and other secrets
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, nil
}

// Probe writes, replaces, reads, lists, locks and deletes a record whose path
// cannot be that of a name. It needs every capability of [Policy].
func (s *Store) Probe(ctx context.Context) error {
	boundCtx, cancel := s.withWriteTimeout(ctx)
	defer cancel()
	return timeoutError(ctx, boundCtx, s.probeAll(boundCtx))
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
	h, err := s.acquireLease(ctx, kv, s.prefix+"/~lease/"+name, "the record of a probe")
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

// probe tests conflict, replace, read and delete with a record that was
// created.
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

// key returns the path of a record below the mount. The path of the internal
// record is not the escape of any name, so that List omits it, in every version
// of this program.
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
