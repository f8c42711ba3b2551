package file

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/mcp-login/mcp-login/secrets"
)

// probeName is not a valid record name, so that a probe cannot collide with a
// record and is not listed.
const probeName = "\x00probe"

// Probe tests the store by writing, reading and deleting a record. It creates
// the store if needed.
func (s *Store) Probe(ctx context.Context) error {
	if err := s.probe(ctx); err != nil {
		return fmt.Errorf("use store %s: %w", s.dir, err)
	}
	return nil
}

func (s *Store) probe(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*writeWait)
	defer cancel()
	unlock, err := s.lock(ctx, probeName) // else concurrent probes interfere
	if err != nil {
		return err
	}
	defer unlock()
	// A killed probe may have left its record, possibly with an old key.
	if err := s.remove(ctx, probeName, secrets.Any); err != nil && !errors.Is(err, secrets.ErrNotFound) {
		return err
	}
	want := []byte(rand.Text())
	v, err := s.put(ctx, probeName, want, secrets.Any)
	if err != nil {
		return err
	}
	got, _, err := s.get(ctx, probeName)
	if err != nil {
		return err
	}
	if !bytes.Equal(got, want) {
		return fmt.Errorf("%w: the data read back differs from the data written", secrets.ErrUnavailable)
	}
	return s.remove(ctx, probeName, v)
}

// Unlock gets the key from the keeper. It returns ErrNotFound if no store
// exists yet.
func (s *Store) Unlock(ctx context.Context) error {
	h, err := s.header()
	if err == nil {
		_, err = s.unlock(ctx, h)
	}
	if err != nil {
		return fmt.Errorf("unlock store %s: %w", s.dir, err)
	}
	return nil
}

// Kind returns the kind of keeper of the store; "" if no store exists yet. It
// reads only store.json.
func (s *Store) Kind() (string, error) {
	if err := checkDir(s.dir); errors.Is(err, fs.ErrNotExist) {
		return "", nil
	} else if err != nil {
		return "", fmt.Errorf("read store: %w", err)
	}
	h, err := s.header()
	if err != nil && !errors.Is(err, secrets.ErrNotFound) {
		return "", fmt.Errorf("read store: %w", err)
	}
	return h.Keeper, nil
}

// Status describes a store.
type Status struct {
	Dir      string
	Mode     fs.FileMode // of Dir; 0 if Dir does not exist
	Keeper   string      // kind of keeper; "" if no store exists yet
	Key      string      // id of the store key
	Records  int
	Rekeying bool // an interrupted Rekey needs to be run again
}

// Status returns the status of the store without its key. It also works with
// the wrong keeper, so that the caller can learn which one is needed.
func (s *Store) Status(ctx context.Context) (Status, error) {
	st := Status{Dir: s.dir}
	names, err := s.List(ctx)
	if err != nil {
		return st, err
	}
	st.Records = len(names)
	if info, err := os.Lstat(s.dir); err == nil {
		st.Mode = info.Mode()
	}
	h, err := s.header()
	if errors.Is(err, secrets.ErrNotFound) {
		return st, nil
	}
	if err != nil {
		return st, fmt.Errorf("read store: %w", err)
	}
	st.Keeper, st.Key, st.Rekeying = h.Keeper, h.Key, h.Previous != nil
	return st, nil
}
