package access

import (
	"context"
	"errors"
	"fmt"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/internal/exit"
	"github.com/mcp-login/mcp-login/secrets"
)

// Import saves a credential that came from another host, and replaces another only by
// force.
func Import(ctx context.Context, store secrets.Store, c mcplogin.Credential, force bool) error {
	s, err := mcplogin.Open(mcplogin.Config{Profile: c.Profile, Source: mcplogin.Stored(store)})
	if err != nil {
		return err
	}
	if err := s.Import(ctx, c, force); !errors.Is(err, mcplogin.ErrExists) {
		return err
	}
	return &exit.Error{
		Code: exit.Failed, Text: fmt.Sprintf("a credential named %q already exists", c.Profile),
		Hint: "use another name: mcp-login import NAME < FILE\nor replace it: mcp-login import --force < FILE",
	}
}
