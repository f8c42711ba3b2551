package access

import (
	"context"

	"github.com/mcp-login/mcp-login/envexport"
	"github.com/mcp-login/mcp-login/internal/variables"
	"github.com/mcp-login/mcp-login/secrets"
	"github.com/mcp-login/mcp-login/secrets/file"
)

// Variables returns the variables of all profiles, or an error: never only some. They
// are those of the agent at a socket, or of the store if the socket is "". It prompts
// the user to sign in only if login is true.
func (o Opener) Variables(ctx context.Context, socket string, n variables.Naming, profiles []string, login bool) (vars []envexport.Var, err error) {
	names, err := n.Names(profiles)
	if err != nil {
		return nil, err
	}
	from, err := o.Source(ctx, socket, login)
	if err != nil {
		return nil, err
	}
	if err := unambiguous(ctx, from.Store, n, profiles); err != nil {
		return nil, err
	}
	for i, profile := range profiles {
		c, err := o.Credential(ctx, from, profile, login)
		if err != nil {
			return nil, err
		}
		header, err := c.Authorization()
		if err != nil {
			return nil, err
		}
		vars = append(vars, variables.Values(names[i], header, c.Token.Access, c.Server, c.Token.Expiry)...)
	}
	return vars, nil
}

// unambiguous rejects profiles with the same variable names as another profile. It
// does not check if a list costs a request, because login has warned.
func unambiguous(ctx context.Context, store secrets.Store, n variables.Naming, profiles []string) error {
	var stored []string
	if files, ok := store.(*file.Store); ok && n.Prefix == "" {
		names, err := files.List(ctx)
		if err != nil {
			return err
		}
		stored = append([]string{}, names...)
	}
	return n.Distinct(profiles, stored)
}
