package mcplogin

import (
	"context"
	"errors"
	"fmt"

	"github.com/mcp-login/mcp-login/oauth"
)

// Trust decides which authorization servers and which stored records a session
// trusts. Anyone with write access to the store can change a record's issuer,
// endpoints, sources to read on this host and audiences to request. The zero
// Trust accepts all.
type Trust struct {
	// AcceptServer is called before a Login or a renewal sends anything to an
	// authorization server, and before a stored token is used. An error rejects
	// the server; a Login may then use another one that the MCP server names. Nil
	// accepts all. Acceptance does not allow secrets to be sent to the server:
	// see Registration.Issuer.
	AcceptServer func(oauth.Server) error
	// Known reports whether a stored credential is from a login that this user
	// completed. A Login sends no secret where only an unknown record says so. Nil
	// means that all are known.
	Known func(Credential) bool
	// Permit is called before a non-interactive flow runs with the inputs of a
	// stored record. An error stops the run. Nil permits all.
	Permit func(context.Context, Credential) error
}

// acceptIssuer rejects a stored credential if AcceptServer rejects its
// authorization server: the record may have been replaced after the login.
func (t Trust) acceptIssuer(c Credential) error {
	if t.AcceptServer == nil {
		return nil
	}
	if err := t.AcceptServer(c.Issuer); err != nil {
		return fmt.Errorf("use credential %q: %w", c.Profile, err)
	}
	return nil
}

// accepted returns the servers that AcceptServer does not reject.
func (t Trust) accepted(servers []oauth.Server) (allowed []oauth.Server, err error) {
	if t.AcceptServer == nil {
		return servers, nil
	}
	var refused []error
	for _, srv := range servers {
		if err := t.AcceptServer(srv); err != nil {
			refused = append(refused, err)
			continue
		}
		allowed = append(allowed, srv)
	}
	if len(allowed) == 0 {
		return nil, errors.Join(refused...)
	}
	return allowed, nil
}

// known reports whether the user completed the login of a stored credential.
func (t Trust) known(c Credential) bool {
	return c.Token.Access != "" && (t.Known == nil || t.Known(c))
}

// permit calls Permit, if set.
func (t Trust) permit(ctx context.Context, c Credential) error {
	if t.Permit == nil {
		return nil
	}
	return t.Permit(ctx, c)
}
