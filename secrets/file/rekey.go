package file

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/mcp-login/mcp-login/secrets"
)

// Rekey encrypts every record with a new key, which k keeps from now on, and
// has the old keeper forget the old key. k may be another kind of keeper, or
// the same kind with another passphrase or folder. Other processes may use the
// store meanwhile; the versions of records stay, so that no writer conflicts.
//
// When it is interrupted or fails half way, the store works with k and both
// keys, and Rekey with the same keepers goes on where it stopped.
func (s *Store) Rekey(ctx context.Context, k Keeper) error {
	if err := s.rekey(ctx, k); err != nil {
		return fmt.Errorf("rekey store %s: %w", s.dir, err)
	}
	return nil
}

func (s *Store) rekey(ctx context.Context, k Keeper) error {
	old := s.keeping()
	h, err := s.header()
	if err != nil {
		return err
	}
	if h.Previous != nil {
		resumed, err := s.resume(ctx, h, old, k)
		if resumed || err != nil {
			return err
		}
		if h, err = s.header(); err != nil {
			return err
		}
	}
	r, err := s.unlock(ctx, h)
	if err != nil {
		return err
	}
	if err := s.verify(ctx); err != nil {
		return err
	}
	if err := s.switchKey(ctx, r, k); err != nil {
		return err
	}
	return s.finish(ctx, old, k)
}

// resume ends an interrupted Rekey. It reports true if that was this one: if
// the key is with k already, and not with the keeper that the store came with.
func (s *Store) resume(ctx context.Context, h header, old, k Keeper) (bool, error) {
	if _, err := s.unlock(ctx, h); err == nil {
		return false, s.finish(ctx, old)
	} else if ctx.Err() != nil {
		return false, err
	}
	s.use(k)
	if _, err := s.unlock(ctx, h); err != nil {
		s.use(old)
		return false, err
	}
	return true, s.finish(ctx, old, k)
}

// verify makes sure that no record will stop a rekeying half way.
func (s *Store) verify(ctx context.Context) error {
	names, err := s.records(ctx)
	if err != nil {
		return err
	}
	for _, name := range names {
		if _, _, err := s.get(ctx, name); err != nil && !errors.Is(err, secrets.ErrNotFound) {
			return fmt.Errorf("record %q: %w", name, err)
		}
	}
	return nil
}

// switchKey makes a new key the current one and the current the previous. The
// keeper is asked first: a person who thinks of a passphrase holds up nobody.
func (s *Store) switchKey(ctx context.Context, r ring, k Keeper) error {
	secret := make([]byte, keySize)
	rand.Read(secret) // never fails, as of Go 1.24
	next, err := newKey(secret)
	if err != nil {
		return err
	}
	h := header{Version: headerVersion, Key: next.id, Keeper: k.Kind(), Previous: next.wrap(r.current)}
	if h.Params, err = k.Keep(ctx, next.id, secret); err != nil {
		return err
	}
	if err := s.replaceHeader(ctx, r.head, &h); err != nil {
		return errors.Join(err, forget(ctx, next.id, k))
	}
	s.remember(ring{head: h, current: next, previous: r.current}, k)
	return nil
}

// finish moves all records to the current key and drops the previous one.
func (s *Store) finish(ctx context.Context, keepers ...Keeper) error {
	names, err := s.records(ctx)
	if err != nil {
		return err
	}
	for _, name := range names { // one by one, so that writers wait for one only
		if err := s.locked(ctx, func() error { return s.reseal(ctx, name) }); err != nil {
			return err
		}
	}
	var gone string
	if err := s.locked(ctx, func() error { gone, err = s.dropPrevious(ctx); return err }); err != nil || gone == "" {
		return err
	}
	return forget(ctx, gone, keepers...)
}

func (s *Store) locked(ctx context.Context, f func() error) error {
	release, err := s.lockWrites(ctx)
	if err != nil {
		return err
	}
	defer release()
	return f()
}

// dropPrevious removes the previous key from the header and returns its id, ""
// if somebody else was faster. It looks at all records again, since only a
// folder that nobody writes to is sure to be listed whole.
func (s *Store) dropPrevious(ctx context.Context) (id string, err error) {
	names, err := s.records(ctx)
	if err != nil {
		return "", err
	}
	for _, name := range names {
		if err := s.reseal(ctx, name); err != nil {
			return "", err
		}
	}
	h, err := s.header()
	if err != nil {
		return "", err
	}
	r, err := s.unlock(ctx, h)
	if err != nil || h.Previous == nil {
		return "", err
	}
	h.Previous = nil
	if err := s.writeHeader(&h); err != nil {
		return "", err
	}
	s.remember(ring{head: h, current: r.current}, s.keeping())
	return r.previous.id, nil
}

// reseal encrypts a record with the current key. The nonce stays, and so does
// the version: it was random, so it is as good under another key. The caller
// holds the write lock.
func (s *Store) reseal(ctx context.Context, name string) error {
	r, err := s.unlockOrCreate(ctx)
	if err != nil {
		return err
	}
	rec, data, err := s.load(r, name)
	if errors.Is(err, secrets.ErrNotFound) || err == nil && rec.key == r.current.id {
		return nil
	}
	if err == nil {
		err = s.write(s.path(name), r.seal(name, data, rec.nonce))
	}
	if err != nil {
		return fmt.Errorf("record %q: %w", name, err)
	}
	return nil
}

// replaceHeader is the instant at which a key changes.
func (s *Store) replaceHeader(ctx context.Context, from header, to *header) error {
	return s.locked(ctx, func() error {
		now, err := s.header()
		if err != nil {
			return err
		}
		if !now.same(from) {
			return fmt.Errorf("%w: another rekey is in progress", secrets.ErrConflict)
		}
		return s.writeHeader(to)
	})
}

// forget removes a key from whichever of these keepers has it.
func forget(ctx context.Context, id string, keepers ...Keeper) error {
	var errs []error
	for _, k := range keepers {
		if f, ok := k.(Forgetter); ok {
			errs = append(errs, f.Forget(ctx, id))
		}
	}
	return errors.Join(errs...)
}
