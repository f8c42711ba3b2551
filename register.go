package mcplogin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/mcp-login/mcp-login/flows"
	"github.com/mcp-login/mcp-login/oauth"
)

// defaultClientName is the client name that the server's consent page shows.
const defaultClientName = "mcp-login"

// Registration says how a Login obtains a client ID at an authorization server,
// in the specification's order: App, ClientMetadataURL, then dynamic
// registration.
type Registration struct {
	// Issuer is the authorization server that the secrets here and the Inputs of
	// the login are for. "" means LoginOptions.Issuer or the issuer of the last
	// login, if Trust.Known reports it as known. A login that would send a secret
	// to another issuer fails with an *UnnamedIssuerError.
	Issuer string
	// App is a pre-registered client; the zero App means none. Without an ID,
	// its AuthMethod is used for dynamic registration.
	App oauth.App
	// ClientMetadataURL is the URL of a client ID metadata document; "" means
	// none.
	ClientMetadataURL string
	// InitialAccessToken authorizes dynamic registration (RFC 7591 §3); ""
	// means none.
	InitialAccessToken string
	// ClientName is shown on consent pages; "" means "mcp-login".
	ClientName string
	// AcceptNewIssuer accepts an authorization server or endpoints that differ
	// from the last login.
	AcceptNewIssuer bool
}

// register returns the client to sign in with. If reused is true, it comes from
// the store and the server may have deleted it. If old is nil, nothing is
// reused.
func (s *login) register(ctx context.Context, c Credential, f flows.Flow, old *Credential) (app oauth.App, reused bool, err error) {
	if s.req.Register.App.ID != "" {
		return s.req.Register.App, false, nil
	}
	want, err := s.metadata(f)
	known := s.registered(ctx, c, old, want)
	if i := slices.IndexFunc(known, func(k Credential) bool { return coversScopes(k, c.Asked) }); i >= 0 {
		return known[i].App, true, nil
	}
	if err == nil {
		app, err = s.registerNew(ctx, c, f, want)
	}
	if err != nil && len(known) > 0 {
		s.log.Info("cannot register a client for the new scopes; using the old client", "error", err)
		return known[0].App, false, nil
	}
	return app, false, err
}

// registerNew returns a new client: by client ID metadata document or dynamic
// registration.
func (s *login) registerNew(ctx context.Context, c Credential, f flows.Flow, want oauth.ClientMetadata) (oauth.App, error) {
	r := s.req.Register
	if d, ok := f.(flows.Documented); ok {
		if c.Issuer.ClientIDMetadataDocument && d.DocumentURL() != "" {
			return oauth.App{ID: d.DocumentURL(), AuthMethod: oauth.AuthNone, RedirectURIs: want.RedirectURIs}, nil
		}
	} else if r.ClientMetadataURL != "" && c.Issuer.ClientIDMetadataDocument {
		return oauth.App{ID: r.ClientMetadataURL, AuthMethod: oauth.AuthNone}, nil
	}
	if c.Issuer.RegistrationEndpoint == "" && c.Issuer.ClientIDMetadataDocument {
		return oauth.App{}, fmt.Errorf("%w at %s: %w, and no document URL is set", ErrRegistration, c.Issuer.Issuer, ErrNeedsDocument)
	}
	if c.Issuer.RegistrationEndpoint == "" {
		return oauth.App{}, fmt.Errorf("%w at %s: it offers no dynamic registration, and no client ID is set", ErrRegistration, c.Issuer.Issuer)
	}
	want.Scope = strings.Join(c.Asked, " ")
	app, err := oauth.Register(ctx, s.cfg.HTTP(c.Server), c.Issuer, want, r.InitialAccessToken)
	if err != nil {
		return oauth.App{}, unregistered(f, err)
	}
	s.log.Info("registered", "issuer", c.Issuer.Issuer, "client_id", app.ID)
	s.savePending(ctx, c, app)
	return app, nil
}

// unregistered wraps the error of a failed registration. Many servers reject
// redirect URIs on a web server, with various errors; another flow may still
// work.
func unregistered(f flows.Flow, err error) error {
	e, refused := errors.AsType[*oauth.Error](err)
	if _, documented := f.(flows.Documented); documented && refused && e.Status >= 400 && e.Status < 500 {
		return fmt.Errorf("%w: %w: %w", ErrRegistration, flows.ErrUnsupported, err)
	}
	return fmt.Errorf("%w: %w", ErrRegistration, err)
}

// registered returns the credentials whose client supports the wanted grants:
// the stored one, and if its client may not request the scopes, also the
// pending registration.
func (s *login) registered(ctx context.Context, c Credential, old *Credential, want oauth.ClientMetadata) (known []Credential) {
	if old == nil {
		return nil
	}
	if old.Issuer.Issuer == c.Issuer.Issuer && !old.ClientRefused && (supportsGrants(old.App, want) || old.Flow == c.Flow && isUsable(old.App)) {
		known = append(known, *old)
	}
	if len(known) > 0 && coversScopes(*old, c.Asked) {
		return known
	}
	if r := s.pending(ctx, c); supportsGrants(r.App, want) {
		known = append(known, Credential{App: r.App, Asked: r.Asked})
	}
	return known
}

// metadata returns the client metadata of a dynamic registration for the flow
// (RFC 7591 §2).
func (s *login) metadata(f flows.Flow) (oauth.ClientMetadata, error) {
	r, ok := f.(flows.Registrant)
	if !ok {
		return oauth.ClientMetadata{}, fmt.Errorf("%w: %s requires a client ID", ErrRegistration, f.Name())
	}
	m, err := r.Metadata()
	if err != nil {
		return m, err
	}
	if m.ApplicationType == "" {
		m.ApplicationType = "native" // SEP-837
	}
	m.TokenAuthMethod = s.req.Register.App.AuthMethod
	m.ClientName = s.req.Register.ClientName
	if m.ClientName == "" {
		m.ClientName = defaultClientName
	}
	return m, nil
}

// supportsGrants reports whether a stored registration is usable and has the
// wanted grant types.
func supportsGrants(app oauth.App, want oauth.ClientMetadata) bool {
	return isUsable(app) && len(want.GrantTypes) > 0 && !slices.ContainsFunc(want.GrantTypes, func(g string) bool {
		return g != oauth.GrantRefreshToken && app.GrantTypes != nil && !slices.Contains(app.GrantTypes, g)
	})
}

// coversScopes reports whether the stored client may request the scopes, according
// to its registration. A scope that was requested before does not require a new
// registration: the server has already omitted it once.
func coversScopes(old Credential, scopes []string) bool {
	registered := strings.Fields(old.App.Scope)
	return len(registered) == 0 || !slices.ContainsFunc(scopes, func(s string) bool {
		return !slices.Contains(registered, s) && !slices.Contains(old.Asked, s)
	})
}

// isUsable reports whether the client has an ID and its secret has not expired.
func isUsable(app oauth.App) bool {
	return app.ID != "" && (app.SecretExpiry.IsZero() || time.Now().Before(app.SecretExpiry))
}
