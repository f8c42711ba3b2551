package mcplogin

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/mcp-login/mcp-login/flows"
	"github.com/mcp-login/mcp-login/oauth"
	"github.com/mcp-login/mcp-login/secrets"
)

// LoginOptions is what a person may decide about a login. It is stored with
// the credential; a later login without options asks the same way again.
type LoginOptions struct {
	// Scopes to ask for; nil means the specification's choice: the challenge's
	// scope, else all that the resource publishes, else none, and offline_access
	// where the authorization server lists it.
	Scopes []string `json:"scopes,omitempty"`
	// Flows names the flows to use, best first; nil means all of Config.Flows
	// that ask a person.
	Flows []string `json:"flows,omitempty"`
	// Issuer picks one of the authorization servers listed; "" means the first
	// that offers a wanted flow.
	Issuer string `json:"issuer,omitempty"`
	// NoResource leaves out the resource parameter (RFC 8707), which some
	// servers refuse.
	NoResource bool `json:"no_resource,omitempty"`
	// Params are further parameters of the authorization request.
	Params url.Values `json:"params,omitempty"`
	// UseIDToken presents the id_token as the bearer token.
	UseIDToken bool `json:"use_id_token,omitempty"`
	// DPoP binds the tokens to a key of this credential (RFC 9449), also where
	// the resource does not ask for that.
	DPoP bool `json:"dpop,omitempty"`
	// Inputs are for flows that need no person.
	Inputs flows.Inputs `json:"inputs,omitzero"`
	// Endpoints override what the metadata says; empty ones do not.
	Endpoints Endpoints `json:"endpoints,omitzero"`
}

// Endpoints are an authorization server's, given by a person. With a token
// endpoint and an issuer no metadata is fetched.
type Endpoints struct {
	Authorization       string `json:"authorization_endpoint,omitempty"`
	DeviceAuthorization string `json:"device_authorization_endpoint,omitempty"`
	Token               string `json:"token_endpoint,omitempty"`
	Registration        string `json:"registration_endpoint,omitempty"`
	Revocation          string `json:"revocation_endpoint,omitempty"`
}

// override returns srv with the given endpoints in place of its own.
func (e Endpoints) override(srv oauth.Server) oauth.Server {
	srv.AuthorizationEndpoint = cmp.Or(e.Authorization, srv.AuthorizationEndpoint)
	srv.DeviceAuthorizationEndpoint = cmp.Or(e.DeviceAuthorization, srv.DeviceAuthorizationEndpoint)
	srv.TokenEndpoint = cmp.Or(e.Token, srv.TokenEndpoint)
	srv.RegistrationEndpoint = cmp.Or(e.Registration, srv.RegistrationEndpoint)
	srv.RevocationEndpoint = cmp.Or(e.Revocation, srv.RevocationEndpoint)
	return srv
}

// IsZero reports whether nothing was decided.
func (o LoginOptions) IsZero() bool {
	return len(o.Scopes) == 0 && len(o.Flows) == 0 && o.Issuer == "" && !o.NoResource && len(o.Params) == 0 && !o.UseIDToken && !o.DPoP && o.Inputs == (flows.Inputs{}) && o.Endpoints == (Endpoints{})
}

// Login discovers the server, registers, runs the first flow that can be used,
// and replaces the stored credential by the new one. It may wait for a person
// until ctx ends; it holds no lock while it does. Before that, the store is
// tried. On any error the stored credential is as it was.
//
// more are scopes to ask for beyond the usual ones, such as those of an
// *InsufficientScopeError: the request then holds them and all that were asked
// before (SEP-2350).
func (s *Session) Login(ctx context.Context, more ...string) (Credential, error) {
	if err := s.probe(ctx); err != nil {
		return Credential{}, err
	}
	old, err := s.stored(ctx)
	if err != nil {
		return Credential{}, err
	}
	c, choices, err := s.plan(ctx, old, more)
	if err != nil {
		return Credential{}, err
	}
	var skipped []error
	for _, choice := range choices {
		done, err := s.run(ctx, c, choice, old)
		if !errors.Is(err, flows.ErrUnsupported) {
			return done, err
		}
		s.log.Info("flow cannot be used after all", "flow", choice.Flow.Name(), "issuer", choice.Server.Issuer, "error", err)
		skipped = append(skipped, err)
	}
	return Credential{}, errors.Join(skipped...)
}

// prober is a store that can tell, before a person is asked to log in, whether
// it will be able to keep the result.
type prober interface{ Probe(context.Context) error }

func (s *Session) probe(ctx context.Context) error {
	p, ok := s.cfg.Store.(prober)
	if !ok {
		return nil
	}
	if err := p.Probe(ctx); err != nil {
		return fmt.Errorf("try the store before logging in: %w", err)
	}
	return nil
}

// stored returns the credential to be replaced; the zero one if there is none.
func (s *Session) stored(ctx context.Context) (Credential, error) {
	c, _, err := s.read(ctx)
	if errors.Is(err, secrets.ErrNotFound) {
		return Credential{}, nil
	}
	return c, err
}

// plan finds out where and how to log in. The credential it returns lacks
// issuer, client and token.
func (s *Session) plan(ctx context.Context, old Credential, more []string) (Credential, []flows.Choice, error) {
	c := Credential{Profile: s.cfg.Profile, Server: s.cfg.Server, Login: s.cfg.Login, CreatedAt: old.CreatedAt}
	if c.Server == "" {
		c.Server = old.Server
	}
	if c.Server == "" {
		return c, nil, s.loginRequired("no credential is stored, and no server URL was given")
	}
	if c.Login.IsZero() {
		c.Login = old.Login
	}
	d, err := c.Login.discover(ctx, s.httpFor(c.Server), c.Server)
	if err != nil {
		return c, nil, err
	}
	servers, err := c.Login.servers(d)
	if err != nil {
		return c, nil, err
	}
	c.Resource = d.Resource.URL
	if c.Login.NoResource {
		c.Resource = ""
	}
	c.Login.DPoP = c.Login.DPoP || d.Resource.DPoP
	c.Asked = union(c.Login.scopes(d.Resource), more)
	choices, err := flows.Select(servers, s.wanted(c.Login.Flows)...)
	return c, choices, err
}

// wanted returns the flows of the given names, in that order. Names from an
// older login may be of flows that are not to be had here.
func (s *Session) wanted(names []string) []flows.Flow {
	var chosen []flows.Flow
	for _, name := range names {
		for _, f := range s.cfg.Flows {
			if f.Name() == name {
				chosen = append(chosen, f)
			}
		}
	}
	if len(chosen) > 0 {
		return chosen
	}
	for _, f := range s.cfg.Flows {
		if _, unattended := f.(flows.Unattended); !unattended {
			chosen = append(chosen, f)
		}
	}
	return chosen
}

// discover asks the server, unless a person said all that there is to know.
func (o LoginOptions) discover(ctx context.Context, c *http.Client, server string) (Discovery, error) {
	if o.Issuer == "" || o.Endpoints.Token == "" {
		return Discover(ctx, c, server)
	}
	d := Discovery{Server: server, Servers: []oauth.Server{{Issuer: o.Issuer}}}
	var err error
	if d.Resource, err = oauth.Discover(ctx, c, server); err != nil {
		d.Resource.URL = server // RFC 8707 §2: what the client uses to reach it
	}
	return d, nil
}

// servers applies the issuer filter and the endpoint overrides.
func (o LoginOptions) servers(d Discovery) ([]oauth.Server, error) {
	var servers []oauth.Server
	for _, srv := range d.Servers {
		if o.Issuer == "" || o.Issuer == srv.Issuer {
			servers = append(servers, o.Endpoints.override(srv))
		}
	}
	if len(servers) == 0 {
		return nil, fmt.Errorf("issuer %s is not among the authorization servers of %s", oauth.Sanitize(o.Issuer, 200), d.Server)
	}
	return servers, nil
}

// scopes is the specification's choice. Nil means that the parameter is not
// sent.
func (o LoginOptions) scopes(r oauth.Resource) []string {
	switch {
	case len(o.Scopes) > 0:
		return o.Scopes
	case r.ChallengeScope != "":
		return strings.Fields(r.ChallengeScope)
	}
	return r.Scopes
}

// scopesAt completes the scopes for one authorization server: what it was
// asked before, and offline_access where it lists that (SEP-2207). Scopes that
// a person names now are asked for as they are.
func (s *Session) scopesAt(c, old Credential) []string {
	const offlineAccess = "offline_access"
	asked := c.Asked
	if len(s.cfg.Login.Scopes) > 0 && len(asked) == len(s.cfg.Login.Scopes) {
		return asked
	}
	if old.Issuer.Issuer == c.Issuer.Issuer {
		asked = union(asked, old.Asked)
	}
	if len(c.Login.Scopes) == 0 && slices.Contains(c.Issuer.Scopes, offlineAccess) {
		asked = union(asked, []string{offlineAccess})
	}
	return asked
}

// union returns a and what b adds to it; nil for nothing.
func union(a, b []string) []string {
	all := slices.Clone(a)
	for _, s := range b {
		if !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	return all
}

// run logs in by one flow at one server and stores the result.
func (s *Session) run(ctx context.Context, c Credential, choice flows.Choice, old Credential) (Credential, error) {
	if err := s.sameIssuer(old, choice.Server); err != nil {
		return Credential{}, err
	}
	c.Issuer = choice.Server
	c.Flow = choice.Flow.Name()
	c.Asked = s.scopesAt(c, old)
	if s.cfg.Chosen != nil {
		s.cfg.Chosen(choice)
	}
	s.log.Info("logging in", "flow", c.Flow, "issuer", c.Issuer.Issuer, "scopes", c.Asked)

	token, app, err := s.authorize(ctx, c, choice.Flow, old)
	if err != nil {
		return Credential{}, fmt.Errorf("log in by %s at %s: %w", c.Flow, c.Issuer.Issuer, err)
	}
	now := time.Now().UTC().Truncate(time.Second)
	c.App, c.Token, c.LoggedInAt = app, c.Login.settle(token, oauth.Token{}), now
	if c.CreatedAt.IsZero() {
		c.CreatedAt = now
	}
	if err := s.accept(ctx, c); err != nil {
		return Credential{}, err
	}
	if err := s.save(ctx, c); err != nil {
		return Credential{}, err
	}
	if missing := c.Missing(); len(missing) > 0 {
		s.log.Warn("the server granted less than was asked", "missing", missing)
	}
	return c, nil
}

// accept asks the caller about a new credential. Tokens that nobody wants are
// revoked, as well as that can be done.
func (s *Session) accept(ctx context.Context, c Credential) error {
	if s.cfg.Accept == nil {
		return nil
	}
	refused := s.cfg.Accept(c)
	if refused == nil {
		return nil
	}
	token, hint := c.Token.Refresh, "refresh_token"
	if token == "" {
		token, hint = c.Token.Access, "access_token"
	}
	if err := s.client(c).Revoke(ctx, token, hint); err != nil {
		s.log.Warn("the refused token could not be revoked", "error", err)
	}
	return fmt.Errorf("log in by %s at %s: %w", c.Flow, c.Issuer.Issuer, refused)
}

// authorize runs the flow with a client that the server knows. A stored
// registration that the server has forgotten, or that holds other redirect
// URIs, is made anew, once.
func (s *Session) authorize(ctx context.Context, c Credential, f flows.Flow, old Credential) (oauth.Token, oauth.App, error) {
	app, reused, err := s.register(ctx, c, f, old)
	if err != nil {
		return oauth.Token{}, app, err
	}
	if err := c.Login.bind(&app); err != nil {
		return oauth.Token{}, app, err
	}
	c.App = app
	token, err := f.Run(ctx, c.request(s.client(c)))
	if reused && (errors.Is(err, flows.ErrClient) || oauth.IsCode(err, oauth.CodeInvalidClient, oauth.CodeUnauthorizedClient)) {
		s.log.Info("the stored registration does not serve any more", "client_id", app.ID, "error", err)
		return s.authorize(ctx, c, f, Credential{})
	}
	return token, app, err
}

// bind gives a client the key that its tokens are bound to, or takes it away.
func (o LoginOptions) bind(app *oauth.App) (err error) {
	switch {
	case !o.DPoP:
		app.DPoPKey = nil
	case app.DPoPKey == nil:
		app.DPoPKey, err = oauth.NewKey()
	}
	return err
}

// request is what a flow needs to know of a credential.
func (c Credential) request(client *oauth.Client) flows.Request {
	return flows.Request{Client: client, Server: c.Server, Resource: c.Resource, Scopes: c.Asked, Params: c.Login.Params, Inputs: c.Login.Inputs}
}

// settle makes an answer the token to keep: an id_token is moved into the
// bearer's place if so decided, and what a refresh did not answer is kept.
func (o LoginOptions) settle(t, old oauth.Token) oauth.Token {
	if t.Scope == "" {
		t.Scope = old.Scope
	}
	if o.UseIDToken && t.ID != "" {
		t.Access = t.ID
		if exp, err := oauth.IDTokenExpiry(t.ID); err == nil {
			t.Expiry = exp
		}
	}
	return t
}

// save replaces whatever is stored by a new login's credential. It takes the
// lock only now, so that a refresh under way ends first.
func (s *Session) save(ctx context.Context, c Credential) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), exchangeTimeout)
	defer cancel()
	if unlock, err := s.cfg.Store.Lock(ctx, c.Profile); err == nil {
		defer unlock()
	}
	if _, err := s.write(ctx, c, secrets.Any); err != nil {
		return fmt.Errorf("logged in, but %w", err)
	}
	s.cached.Store(&c)
	return nil
}
