package confirmed

import (
	"context"
	"encoding/json"
	"errors"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/secrets"
)

// Store is a store whose records are read without what this user has not typed on
// this host.
type Store struct {
	secrets.Store
	Strip func(mcplogin.Credential) mcplogin.Credential
}

// Get implements secrets.Store. What a newer version wrote is left as it is:
// this version does not act on it.
func (s Store) Get(ctx context.Context, name string) ([]byte, secrets.Version, error) {
	data, v, err := s.Store.Get(ctx, name)
	if err != nil {
		return data, v, err
	}
	c, err := mcplogin.ParseCredential(data)
	if errors.Is(err, mcplogin.ErrNewerRecord) || err == nil && !c.HasInputs() {
		return data, v, nil
	}
	if invalid, ok := errors.AsType[*mcplogin.RecordError](err); ok {
		invalid.Profile = name
	}
	if err != nil {
		return nil, v, err
	}
	if c = s.Strip(c); c.HasInputs() {
		return data, v, nil
	}
	data, err = json.Marshal(c)
	return data, v, err
}
