package mcplogin

import (
	"context"
	"errors"
	"fmt"

	"github.com/mcp-login/mcp-login/oauth"
)

// Trust decides which authorization servers a session deals with, and what counts
// of a stored record: anyone who can write to the store can have a record name an
// issuer, endpoints, sources to read here and an audience to ask for. The zero
// Trust accepts all.
type Trust struct {
	// AcceptServer is asked before a Login or a renewal sends anything to an
	// authorization server, and before a stored token is used. Its error rejects
	// that one; a Login may take another that the MCP server names. Nil accepts
	// all. That one is accepted does not make it the one that secrets may be sent
	// to: see Registration.Issuer.
	AcceptServer func(oauth.Server) error
	// Known reports whether a stored credential is from a login that this user
	// completed. A Login sends no secret where only an unknown record says so. Nil
	// knows all.
	Known func(Credential) bool
	// Permit is asked before a non-interactive flow runs as a stored record says.
	// Its error stops the run. Nil permits all.
	Permit func(context.Context, Credential) error
}

// acceptIssuer rejects a stored credential of an authorization server that the
// caller does not accept. A record can be replaced after the login.
func (t Trust) acceptIssuer(c Credential) error {
	if t.AcceptServer == nil {
		return nil
	}
	if err := t.AcceptServer(c.Issuer); err != nil {
		return fmt.Errorf("use credential %q: %w", c.Profile, err)
	}
	return nil
}

// accepted returns the servers that the caller has nothing against.
func (t Trust) accepted(servers []oauth.Server) (fine []oauth.Server, err error) {
	if t.AcceptServer == nil {
		return servers, nil
	}
	var refused []error
	for _, srv := range servers {
		if err := t.AcceptServer(srv); err != nil {
			refused = append(refused, err)
			continue
		}
		fine = append(fine, srv)
	}
	if len(fine) == 0 {
		return nil, errors.Join(refused...)
	}
	return fine, nil
}

// known reports whether the user completed the login of a stored credential.
func (t Trust) known(c Credential) bool {
	return c.Token.Access != "" && (t.Known == nil || t.Known(c))
}

// permit asks before a non-interactive flow runs as a stored record says.
func (t Trust) permit(ctx context.Context, c Credential) error {
	if t.Permit == nil {
		return nil
	}
	return t.Permit(ctx, c)
}
