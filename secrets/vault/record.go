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

// payload is what one path in Vault holds.
type payload struct {
	Format int `json:"format"`
	// Write names the Put that wrote this, so that after a lost answer one sees
	// whose write it was.
	Write string `json:"write"`
	// Record is in base64, in pieces that Vault takes for one string.
	Record  [][]byte `json:"record,omitempty"`
	Deleted bool     `json:"deleted,omitempty"` // somebody is about to remove the path
	Lease   *lease   `json:"lease,omitempty"`
}

// maxPiece stays in base64 below the 1 MiB that Vault by default takes for a
// string (max_json_string_value_length).
const maxPiece = 512 << 10

func newPayload(data []byte) payload {
	return payload{Format: format, Write: rand.Text(), Record: slices.Collect(slices.Chunk(data, maxPiece))}
}

// known refuses what this package did not write, or a later one did.
func (p *payload) known() error {
	switch {
	case p == nil || p.Format == 0:
		return fmt.Errorf("%w: it was not written by mcp-login", secrets.ErrUndecryptable)
	case p.Format > format:
		return fmt.Errorf("%w: a newer version of mcp-login wrote it (format %d)", secrets.ErrUnavailable, p.Format)
	}
	return nil
}

// state is what a path holds.
type state int

const (
	absent    state = iota // nothing was ever there, or all trace was removed
	gone                   // somebody else deleted the latest version
	tombstone              // marked as deleted, about to become absent
	live
)

// entry is what one read of a path saw.
type entry struct {
	payload
	state state
	id    secrets.Version // of exactly this write
	n     int             // version to check and set against
	age   time.Duration   // by Vault's clock, 0: not said
}

// kv returns the mount. It asks Vault once which version it has, unless an answer
// showed it: a write to a mount of version 1 would end up in a wrong place.
func (s *Store) kv(ctx context.Context) (*kv2, error) {
	if s.versioned.Load() {
		return s.mount, nil
	}
	if err := s.wire.checkVersion(ctx); err != nil {
		return nil, err
	}
	s.versioned.Store(true)
	return s.mount, nil
}

// read is one request where the record exists, or the version of the mount is
// known. Any other answer is also what a mount of version 1 says to a path that
// it does not have.
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
	if kvErr != nil && status(err) != http.StatusForbidden { // Vault says more about a path than about a mount
		return entry{}, kvErr
	}
	return found, err
}
