package mcplogin

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Lender lends the access tokens of credentials that another process keeps.
// package agent has one that asks over a socket. It must be safe for use by
// many goroutines.
type Lender interface {
	// Lend returns the profile's credential without what renews it. The token
	// has minTTL left, as far as its server gives tokens that long, and is not
	// rejected ("": none was). Where only a person can help the error is
	// ErrLoginRequired.
	Lend(ctx context.Context, profile string, minTTL time.Duration, rejected string) (Credential, error)
}

// ErrLent: the credential is another process's, which alone can log in, log out
// and forget it.
var ErrLent = errors.New("the credential is lent by an agent")

// borrow asks the lender for a token.
func (s *Session) borrow(ctx context.Context, minTTL time.Duration, rejected string) (Credential, error) {
	c, err := s.cfg.Lender.Lend(ctx, s.cfg.Profile, minTTL, rejected)
	if err != nil {
		return c, err
	}
	c.RefreshedAt = time.Now().UTC() // the beginning of the life that was lent
	return c, s.mine(c)
}

// keeps returns nil if the credential is this session's own to change.
func (s *Session) keeps() error {
	if s.cfg.Lender != nil {
		return fmt.Errorf("%q: %w", s.cfg.Profile, ErrLent)
	}
	return nil
}
