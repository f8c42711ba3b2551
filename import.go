package mcplogin

import (
	"context"
	"errors"
	"fmt"

	"github.com/mcp-login/mcp-login/secrets"
)

// ErrExists: the profile already has a credential.
var ErrExists = errors.New("a credential with this name already exists")

// Import stores a credential from another host, a result of ParseCredential. If
// the profile already has one, the error is ErrExists unless replace is set. A
// record of a newer version is never replaced.
func (s *Session) Import(ctx context.Context, c Credential, replace bool) error {
	if err := s.source.checkWritable(); err != nil {
		return err
	}
	if err := c.Validate(); err != nil {
		return err
	}
	if err := s.checkOwner(c); err != nil {
		return err
	}
	old, v, err := s.store.Get(ctx, s.cfg.Profile)
	switch {
	case errors.Is(err, secrets.ErrNotFound):
	case err != nil:
		return fmt.Errorf("read credential %q: %w", s.cfg.Profile, err)
	case !replace:
		return fmt.Errorf("import credential %q: %w", s.cfg.Profile, ErrExists)
	default:
		if _, err := ParseCredential(old); errors.Is(err, ErrNewerRecord) {
			return fmt.Errorf("import credential %q: %w", s.cfg.Profile, err)
		}
	}
	if _, err := s.write(ctx, c, v); err != nil {
		return err
	}
	s.cached.Store(nil)
	return nil
}
