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

// defaultClientName is what a server shows a person who is asked to approve.
const defaultClientName = "mcp-login"

// Registration is what a Login may use to become known to an authorization
// server, in the specification's order: App, ClientMetadataURL, then dynamic
// registration.
type Registration struct {
	// Issuer is the authorization server that the secrets here and the Inputs of
	// the login are for. "" is the one of LoginOptions.Issuer or of the last login,
	// if Trust.Known knows that one. A login that would send a secret to another
	// fails with an *UnnamedIssuerError.
	Issuer string
	// App is a pre-registered client; the zero App means none. Without an id its
	// AuthMethod is the one to register with.
	App oauth.App
	// ClientMetadataURL is a hosted client id metadata document; "" means none.
	ClientMetadataURL string
	// InitialAccessToken opens a guarded registration endpoint (RFC 7591 §3).
	InitialAccessToken string
	// ClientName is shown to people; "" means "mcp-login".
	ClientName string
	// AcceptNewIssuer agrees to an authorization server or endpoints other than
	// at the last login.
	AcceptNewIssuer bool
}

// register returns the client to log in with. reused says that it comes from
// the store and may have been forgotten by the server; nothing is reused if old
// is nil.
func (s *login) register(ctx context.Context, c Credential, f flows.Flow, old *Credential) (app oauth.App, reused bool, err error) {
	if s.req.Register.App.ID != "" {
		return s.req.Register.App, false, nil
	}
	want, err := s.metadata(f)
	known := s.registered(ctx, c, old, want)
	if i := slices.IndexFunc(known, func(k Credential) bool { return mayAsk(k, c.Asked) }); i >= 0 {
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

// registerNew returns a client that the server has not seen here before.
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
	s.remember(ctx, c, app)
	return app, nil
}

// unregistered is the error of a registration that failed. Many servers refuse
// redirect URIs on a web server, in several ways; another flow may still do.
func unregistered(f flows.Flow, err error) error {
	e, refused := errors.AsType[*oauth.Error](err)
	if _, documented := f.(flows.Documented); documented && refused && e.Status >= 400 && e.Status < 500 {
		return fmt.Errorf("%w: %w: %w", ErrRegistration, flows.ErrUnsupported, err)
	}
	return fmt.Errorf("%w: %w", ErrRegistration, err)
}

// registered returns what has a client that can do what is wanted: the stored
// credential, and a login that was not completed if that one's client may not
// ask for the scopes.
func (s *login) registered(ctx context.Context, c Credential, old *Credential, want oauth.ClientMetadata) (known []Credential) {
	if old == nil {
		return nil
	}
	if old.Issuer.Issuer == c.Issuer.Issuer && !old.ClientRefused && (suits(old.App, want) || old.Flow == c.Flow && live(old.App)) {
		known = append(known, *old)
	}
	if len(known) > 0 && mayAsk(*old, c.Asked) {
		return known
	}
	if r := s.pending(ctx, c); suits(r.App, want) {
		known = append(known, Credential{App: r.App, Asked: r.Asked})
	}
	return known
}

// metadata is what a dynamic registration for a flow asks for (RFC 7591 §2).
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

// suits reports whether a stored registration can do what is wanted.
func suits(app oauth.App, want oauth.ClientMetadata) bool {
	return live(app) && len(want.GrantTypes) > 0 && !slices.ContainsFunc(want.GrantTypes, func(g string) bool {
		return g != oauth.GrantRefreshToken && app.GrantTypes != nil && !slices.Contains(app.GrantTypes, g)
	})
}

// mayAsk reports whether the stored client may ask for the scopes, as far as
// its server said at registration. A scope that was asked before is no reason
// to register again: the server has left it out once already.
func mayAsk(old Credential, scopes []string) bool {
	registered := strings.Fields(old.App.Scope)
	return len(registered) == 0 || !slices.ContainsFunc(scopes, func(s string) bool {
		return !slices.Contains(registered, s) && !slices.Contains(old.Asked, s)
	})
}

// live reports whether there is a client whose secret has not expired.
func live(app oauth.App) bool {
	return app.ID != "" && (app.SecretExpiry.IsZero() || time.Now().Before(app.SecretExpiry))
}
