package mcplogin

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/mcp-login/mcp-login/secrets"
)

// Source is where a Session finds its credential. [Stored] and [Brokered] make
// one; nothing else does.
type Source interface {
	// open returns the session's way to its credential, and the store that it may
	// change.
	open(*Session) (source, secrets.Store)
}

// Stored is a Source of credentials that the session itself keeps, and renews.
func Stored(store secrets.Store) Source {
	if store == nil {
		return nil
	}
	return inStore{store}
}

// Brokered is a Source of tokens that another process keeps and renews. A session
// that has one logs nobody in or out: that ends with ErrBrokered.
func Brokered(b Broker) Source { return brokered{b} }

// Broker provides the access tokens of credentials that another process keeps.
// Package agent has one that asks over a socket. It must be safe for use by
// many goroutines.
type Broker interface {
	// Issue returns the profile's credential without what renews it. The token
	// has minTTL left, as far as its server issues tokens that long, and is not
	// the rejected one ("": none was). Where only a person can help the error is
	// ErrLoginRequired.
	Issue(ctx context.Context, profile string, minTTL time.Duration, rejected string) (Credential, error)
}

// ErrBrokered: another process keeps the credential, and it alone can log in, log
// out and remove it.
var ErrBrokered = errors.New("an agent manages the credential")

// source is what a session asks for its credential.
type source interface {
	// credential returns it as it is.
	credential(ctx context.Context) (Credential, error)
	// accepted is credential for a caller that will use the token.
	accepted(ctx context.Context) (Credential, error)
	// current returns one whose token is fresh and not the rejected one ("": none
	// was), renewed if need be. One goroutine of the session calls it at a time.
	current(ctx context.Context, rejected string) (Credential, error)
	// meanwhile returns one whose token can be used while a renewal takes its time.
	meanwhile(ctx context.Context) (Credential, bool)
	// owned returns nil if the session may change the credential.
	owned() error
}

// inStore is the source of a session that keeps its credential itself.
type inStore struct{ store secrets.Store }

func (i inStore) open(s *Session) (source, secrets.Store) { return stored{s}, i.store }

type stored struct{ *Session }

func (s stored) owned() error { return nil }

func (s stored) credential(ctx context.Context) (Credential, error) {
	c, _, err := s.read(ctx)
	if errors.Is(err, secrets.ErrNotFound) {
		return c, s.loginRequired(notStored)
	}
	return c, err
}

func (s stored) accepted(ctx context.Context) (Credential, error) {
	c, err := s.credential(ctx)
	if err == nil {
		err = s.cfg.Trust.acceptIssuer(c)
	}
	return c, err
}

func (s stored) meanwhile(ctx context.Context) (Credential, bool) {
	c, err := s.accepted(ctx)
	return c, err == nil && c.Valid(stillValid)
}

// brokered is the source of a session whose credential another process keeps.
type brokered struct{ broker Broker }

func (b brokered) open(s *Session) (source, secrets.Store) {
	return issued{s, b.broker}, closedStore{fmt.Errorf("%q: %w", s.cfg.Profile, ErrBrokered)}
}

type issued struct {
	*Session
	broker Broker
}

func (s issued) owned() error { return fmt.Errorf("%q: %w", s.cfg.Profile, ErrBrokered) }

func (s issued) credential(ctx context.Context) (Credential, error) { return s.issue(ctx, 0, "") }
func (s issued) accepted(ctx context.Context) (Credential, error)   { return s.issue(ctx, 0, "") }

func (s issued) current(ctx context.Context, rejected string) (Credential, error) {
	c, err := s.issue(ctx, s.cfg.MinTTL, rejected)
	if err == nil {
		s.cache(c)
	}
	return c, err
}

// meanwhile does not ask the broker, which is being asked, and may be asking a
// person.
func (s issued) meanwhile(context.Context) (Credential, bool) {
	c := s.cached.Load()
	if c == nil {
		return Credential{}, false
	}
	return c.Credential, c.Valid(stillValid)
}

// issue asks the broker for a token.
func (s issued) issue(ctx context.Context, minTTL time.Duration, rejected string) (Credential, error) {
	c, err := s.broker.Issue(ctx, s.cfg.Profile, minTTL, rejected)
	if err != nil {
		return c, err
	}
	c.RefreshedAt = time.Now().UTC() // where the lifetime that was issued begins
	return c, s.mine(c)
}

// closedStore is a store in which nothing can be read or changed.
type closedStore struct{ err error }

func (c closedStore) Get(context.Context, string) ([]byte, secrets.Version, error) {
	return nil, secrets.Absent, c.err
}
func (c closedStore) Put(context.Context, string, []byte, secrets.Version) (secrets.Version, error) {
	return secrets.Absent, c.err
}
func (c closedStore) Delete(context.Context, string, secrets.Version) error { return c.err }
func (c closedStore) List(context.Context) ([]string, error)                { return nil, c.err }
func (c closedStore) Lock(context.Context, string) (func(), error)          { return nil, c.err }
