package secrets

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"
)

// moveWait limits the wait for the locks. A refresh holds a lock for less time.
const moveWait = time.Minute

// Move moves a record to another store: it copies, reads back, and only then
// deletes. If it is interrupted, at least one of the stores has the complete
// record, and Move can be run again. If the other store has a different record
// with that name, Move returns ErrConflict and changes nothing.
//
// It holds the record's lock in both stores, so that no process refreshes the
// token in the meantime.
func Move(ctx context.Context, from, to Store, name string) error {
	if err := move(ctx, from, to, name); err != nil {
		return fmt.Errorf("move record %q: %w", name, err)
	}
	return nil
}

func move(ctx context.Context, from, to Store, name string) error {
	lockCtx, cancel := context.WithTimeout(ctx, moveWait)
	defer cancel()
	for _, s := range []Store{from, to} {
		unlock, err := s.Lock(lockCtx, name)
		if err != nil {
			return err
		}
		defer unlock()
	}
	data, v, err := from.Get(ctx, name)
	if errors.Is(err, ErrNotFound) {
		return alreadyMoved(ctx, to, name, err)
	}
	if err != nil {
		return err
	}
	copied, err := copyTo(ctx, to, name, data)
	if err != nil {
		return err
	}
	err = from.Delete(ctx, name, v)
	if errors.Is(err, ErrConflict) { // the copy is outdated
		return errors.Join(err, to.Delete(ctx, name, copied))
	}
	return err
}

// alreadyMoved returns nil if an interrupted Move has already moved the record.
func alreadyMoved(ctx context.Context, to Store, name string, missing error) error {
	if _, _, err := to.Get(ctx, name); !errors.Is(err, ErrNotFound) {
		return err
	}
	return missing
}

// copyTo puts data into a store, unless it already has the same data, and reads
// it back.
func copyTo(ctx context.Context, to Store, name string, data []byte) (Version, error) {
	_, err := to.Put(ctx, name, data, Absent)
	if err != nil && !errors.Is(err, ErrConflict) {
		return Absent, err
	}
	got, v, err := to.Get(ctx, name)
	if err != nil {
		return Absent, err
	}
	if !bytes.Equal(got, data) {
		return Absent, fmt.Errorf("%w: the other store has a different record with this name", ErrConflict)
	}
	return v, nil
}
