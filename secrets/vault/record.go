package vault

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/mcp-login/mcp-login/secrets"
)

// format is the version of payload that this package writes.
const format = 1

// payload is the data of one path in Vault.
type payload struct {
	Format int `json:"format"`
	// Write is a unique ID of the write, so that after a lost response the
	// writer can recognize it.
	Write string `json:"write"`
	// Record is in base64, in chunks within Vault's limit for strings.
	Record  [][]byte `json:"record,omitempty"`
	Deleted bool     `json:"deleted,omitempty"` // a tombstone: a process is about to remove the path
	Lease   *lease   `json:"lease,omitempty"`
}

// chunkSize in bytes; in base64 it is below Vault's default limit of 1 MiB for
// a string (max_json_string_value_length).
const chunkSize = 512 << 10

func newPayload(data []byte) payload {
	return payload{Format: format, Write: rand.Text(), Record: slices.Collect(slices.Chunk(data, chunkSize))}
}

// checkFormat returns an error if this package did not write the payload, or a
// newer version did.
func (p *payload) checkFormat() error {
	switch {
	case p == nil || p.Format == 0:
		return fmt.Errorf("%w: it was not written by mcp-login", secrets.ErrUndecryptable)
	case p.Format > format:
		return fmt.Errorf("%w: a newer version of mcp-login wrote it (format %d)", secrets.ErrUnavailable, p.Format)
	}
	return nil
}

// state is the state of a path.
type state int

const (
	absent           state = iota // never written, or removed including metadata
	deletedElsewhere              // another program deleted the latest version
	tombstone                     // marked as deleted, about to become absent
	live
)

// entry is the result of reading a path.
type entry struct {
	payload
	state state
	id    secrets.Version // of this write
	n     int             // version number for check-and-set
	age   time.Duration   // by Vault's clock; 0: unknown
}

// kv returns the mount. It checks the KV version once, unless a response has
// shown it: a write to a mount of version 1 would use a wrong path.
func (s *Store) kv(ctx context.Context) (*kv2, error) {
	if s.versioned.Load() {
		return s.mount, nil
	}
	if err := s.conn.checkVersion(ctx); err != nil {
		return nil, err
	}
	s.versioned.Store(true)
	return s.mount, nil
}

// read sends one request if the record exists or the KV version of the mount is
// known. Otherwise it checks the version, because a mount of version 1 responds
// to an unknown path in the same way.
func (s *Store) read(ctx context.Context, key string) (entry, error) {
	found, err := s.mount.read(ctx, key)
	if err == nil && found.state != absent {
		s.versioned.Store(true)
		return found, nil
	}
	if ctx.Err() != nil || errors.Is(err, secrets.ErrTemporary) {
		return entry{}, err
	}
	_, kvErr := s.kv(ctx)
	if kvErr != nil && status(err) != http.StatusForbidden { // the 403 of the path is more specific than the error of the mount
		return entry{}, kvErr
	}
	return found, err
}
