package file

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/mcp-login/mcp-login/secrets"
)

// Rekey encrypts every record with a new key, which k keeps, and removes the
// old key from the old keeper. k may be another kind of keeper, or the same
// kind with another passphrase or folder. Other processes can use the store in
// the meantime; the versions of records stay the same, so that writers get no
// conflicts.
//
// If it is interrupted or fails, the store works with k and both keys, and
// another Rekey with the same keepers resumes.
func (s *Store) Rekey(ctx context.Context, k Keeper) error {
	if err := s.rekey(ctx, k); err != nil {
		return fmt.Errorf("rekey store %s: %w", s.dir, err)
	}
	return nil
}

func (s *Store) rekey(ctx context.Context, k Keeper) error {
	old := s.currentKeeper()
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

// resume completes an interrupted Rekey. It returns true if that Rekey was to
// k: if k already has the key, and the keeper of this Store does not.
func (s *Store) resume(ctx context.Context, h header, old, k Keeper) (bool, error) {
	if _, err := s.unlock(ctx, h); err == nil {
		return false, s.finish(ctx, old)
	} else if ctx.Err() != nil {
		return false, err
	}
	s.setKeeper(k)
	if _, err := s.unlock(ctx, h); err != nil {
		s.setKeeper(old)
		return false, err
	}
	return true, s.finish(ctx, old, k)
}

// verify checks that all records can be decrypted, so that none of them stops a
// Rekey.
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

// switchKey makes a new key the current one and the current key the previous
// one. It calls the keeper before it takes the write lock, because that may
// prompt the user.
func (s *Store) switchKey(ctx context.Context, r keyRing, k Keeper) error {
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
	s.setKeys(keyRing{head: h, current: next, previous: r.current}, k)
	return nil
}

// finish encrypts all records with the current key and drops the previous key.
func (s *Store) finish(ctx context.Context, keepers ...Keeper) error {
	names, err := s.records(ctx)
	if err != nil {
		return err
	}
	for _, name := range names { // one lock per record, so that other writers wait only briefly
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

// dropPrevious removes the previous key from the header and returns its ID; ""
// if another process was faster. It checks all records again, because only
// under the write lock the list is complete.
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
	s.setKeys(keyRing{head: h, current: r.current}, s.currentKeeper())
	return r.previous.id, nil
}

// reseal encrypts a record with the current key. It keeps the nonce, and so the
// version: a random nonce is safe under another key. The caller holds the write
// lock.
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

// replaceHeader replaces the header atomically, if it is still from. This
// switches the key.
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

// forget removes a key from these keepers.
func forget(ctx context.Context, id string, keepers ...Keeper) error {
	var errs []error
	for _, k := range keepers {
		if f, ok := k.(Forgetter); ok {
			errs = append(errs, f.Forget(ctx, id))
		}
	}
	return errors.Join(errs...)
}
