package mcplogin

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/mcp-login/mcp-login/secrets"
)

// Source is where a Session finds its credential. Only [Stored] and [Brokered]
// return one.
type Source interface {
	// open returns the session's source and the store to write to.
	open(*Session) (source, secrets.Store)
}

// Stored returns a Source for credentials in a store, which the session renews.
func Stored(store secrets.Store) Source {
	if store == nil {
		return nil
	}
	return inStore{store}
}

// Brokered returns a Source for credentials that another process stores and
// renews. Login and Logout of such a session return ErrBrokered.
func Brokered(b Broker) Source { return brokered{b} }

// Broker provides access tokens of credentials that another process stores.
// Package agent has one that connects to a Unix socket. A Broker must be safe
// for concurrent use.
type Broker interface {
	// Issue returns the profile's credential without refresh token and client
	// secrets. Its token is valid for minTTL, if the server issues tokens that
	// long, and is not the rejected one ("": none was rejected). If the user
	// must sign in, the error is ErrLoginRequired.
	Issue(ctx context.Context, profile string, minTTL time.Duration, rejected string) (Credential, error)
}

// ErrBrokered: another process manages the credential; only that process can sign
// in, sign out and delete it.
var ErrBrokered = errors.New("an agent manages the credential")

// source is how a session gets its credential.
type source interface {
	// credential returns the credential without refreshing it.
	credential(ctx context.Context) (Credential, error)
	// accepted is credential for a caller that will use the token.
	accepted(ctx context.Context) (Credential, error)
	// current returns a credential whose token is fresh and not the rejected one
	// ("": none was rejected), renewing it if needed. The session calls it from
	// one goroutine at a time.
	current(ctx context.Context, rejected string) (Credential, error)
	// fallback returns a credential whose token can be used while a renewal is in
	// flight.
	fallback(ctx context.Context) (Credential, bool)
	// checkWritable returns an error if the session may not change the
	// credential.
	checkWritable() error
}

// inStore is the Source that [Stored] returns.
type inStore struct{ store secrets.Store }

func (i inStore) open(s *Session) (source, secrets.Store) { return stored{s}, i.store }

type stored struct{ *Session }

func (s stored) checkWritable() error { return nil }

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

func (s stored) fallback(ctx context.Context) (Credential, bool) {
	c, err := s.accepted(ctx)
	return c, err == nil && c.Valid(stillValid)
}

// brokered is the Source that [Brokered] returns.
type brokered struct{ broker Broker }

func (b brokered) open(s *Session) (source, secrets.Store) {
	return issued{s, b.broker}, closedStore{fmt.Errorf("%q: %w", s.cfg.Profile, ErrBrokered)}
}

type issued struct {
	*Session
	broker Broker
}

func (s issued) checkWritable() error { return fmt.Errorf("%q: %w", s.cfg.Profile, ErrBrokered) }

func (s issued) credential(ctx context.Context) (Credential, error) { return s.issue(ctx, 0, "") }
func (s issued) accepted(ctx context.Context) (Credential, error)   { return s.issue(ctx, 0, "") }

func (s issued) current(ctx context.Context, rejected string) (Credential, error) {
	c, err := s.issue(ctx, s.cfg.MinTTL, rejected)
	if err == nil {
		s.cache(c)
	}
	return c, err
}

// fallback uses the cache: a call of the broker is already in flight, and it
// may be waiting for the user.
func (s issued) fallback(context.Context) (Credential, bool) {
	c := s.cached.Load()
	if c == nil {
		return Credential{}, false
	}
	return c.Credential, c.Valid(stillValid)
}

// issue gets a token from the broker.
func (s issued) issue(ctx context.Context, minTTL time.Duration, rejected string) (Credential, error) {
	c, err := s.broker.Issue(ctx, s.cfg.Profile, minTTL, rejected)
	if err != nil {
		return c, err
	}
	c.RefreshedAt = time.Now().UTC() // the remaining lifetime counts from now
	return c, s.checkOwner(c)
}

// closedStore is a store whose methods all fail with err.
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
