package secrets

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"
)

// moveWait bounds the wait for the locks, which a refresh holds for less.
const moveWait = time.Minute

// Move moves a record to another store: it copies, reads back, and only then
// deletes. Interrupted at any point, it leaves the record whole in at least
// one of them, and can be run again. A different record of that name in the
// other store is ErrConflict and stays as it is.
//
// It holds the locks of both, so that nobody refreshes a token meanwhile.
func Move(ctx context.Context, from, to Store, name string) error {
	if err := move(ctx, from, to, name); err != nil {
		return fmt.Errorf("move record %q: %w", name, err)
	}
	return nil
}

func move(ctx context.Context, from, to Store, name string) error {
	within, cancel := context.WithTimeout(ctx, moveWait)
	defer cancel()
	for _, s := range []Store{from, to} {
		unlock, err := s.Lock(within, name)
		if err != nil {
			return err
		}
		defer unlock()
	}
	data, v, err := from.Get(ctx, name)
	if errors.Is(err, ErrNotFound) {
		return moved(ctx, to, name, err)
	}
	if err != nil {
		return err
	}
	copied, err := place(ctx, to, name, data)
	if err != nil {
		return err
	}
	err = from.Delete(ctx, name, v)
	if errors.Is(err, ErrConflict) { // the copy is out of date
		return errors.Join(err, to.Delete(ctx, name, copied))
	}
	return err
}

// moved returns nil if an interrupted Move has done its work already.
func moved(ctx context.Context, to Store, name string, missing error) error {
	if _, _, err := to.Get(ctx, name); !errors.Is(err, ErrNotFound) {
		return err
	}
	return missing
}

// place puts data into a store, unless they are there, and reads them back.
func place(ctx context.Context, to Store, name string, data []byte) (Version, error) {
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
