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
		return fmt.Errorf("%w: it was not written by this program", secrets.ErrUndecryptable)
	case p.Format > format:
		return fmt.Errorf("%w: a newer version of this program wrote it (format %d)", secrets.ErrUnavailable, p.Format)
	}
	return nil
}

// state is what a path holds.
type state int

const (
	absent state = iota // nothing was ever there, or all trace was removed
	gone                // somebody else deleted the latest version
	buried              // marked as deleted, about to become absent
	live
)

// entry is what one read of a path saw.
type entry struct {
	payload
	state state
	id    secrets.Version // of exactly this write
	n     int             // version to check and set against, KV version 2 alone
	age   time.Duration   // by Vault's clock, 0: not said
}

// engine is one version of the KV secrets engine. A key is a path below the mount.
type engine interface {
	read(ctx context.Context, key string) (entry, error)
	// swap replaces exactly what read saw, else returns ErrConflict. It does not
	// tell its own write from another's when an answer is lost.
	swap(ctx context.Context, key string, prev entry, p payload) (entry, error)
	put(ctx context.Context, key string, p payload, prev secrets.Version) (secrets.Version, error)
	remove(ctx context.Context, key string, prev secrets.Version) error
	list(ctx context.Context, folder string) ([]string, error)
}

func (s *Store) engineOf(version int) (engine, error) {
	switch version {
	case 1:
		return &kv1{wire: s.wire, store: s}, nil
	case 2:
		return &kv2{wire: s.wire, lease: s.lease}, nil
	}
	return nil, fmt.Errorf("vault store: there is no KV version %d", version)
}

// known returns the engine if its version is known.
func (s *Store) known() engine {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.engine
}

// kv returns the engine; it asks Vault for the version if need be, since a
// write to the wrong one would end up in a wrong place.
func (s *Store) kv(ctx context.Context) (engine, error) {
	if e := s.known(); e != nil {
		return e, nil
	}
	version, err := s.wire.kvVersion(ctx)
	if err != nil {
		return nil, err
	}
	return s.learn(version)
}

func (s *Store) learn(version int) (engine, error) {
	e, err := s.engineOf(version)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.engine = e
	return e, nil
}

// read is one request where the version is known, or is 2 and the record
// exists. Any other answer of a mount of version 2 is what a mount of version
// 1 says to a path that it does not have.
func (s *Store) read(ctx context.Context, key string) (entry, error) {
	if e := s.known(); e != nil {
		return e.read(ctx, key)
	}
	guess, err := s.engineOf(2)
	if err != nil {
		return entry{}, err
	}
	found, err := guess.read(ctx, key)
	if err == nil && found.state != absent {
		_, err = s.learn(2)
		return found, err
	}
	if ctx.Err() != nil || errors.Is(err, secrets.ErrTemporary) {
		return entry{}, err
	}
	e, kvErr := s.kv(ctx)
	switch {
	case kvErr != nil && status(err) == http.StatusForbidden:
		return entry{}, err // Vault says more about a path than about a mount
	case kvErr != nil:
		return entry{}, kvErr
	}
	if _, two := e.(*kv2); two {
		return found, err
	}
	return e.read(ctx, key)
}
