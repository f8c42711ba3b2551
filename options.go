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

	"github.com/mcp-login/mcp-login/flows"
	"github.com/mcp-login/mcp-login/oauth"
)

// LoginRequest holds the parameters of one Login. The zero LoginRequest repeats
// the stored credential's login.
type LoginRequest struct {
	// Flows are the flows to try, best first. A non-interactive flow runs only
	// if Options names it. Nil means those of Config.Renewal.
	Flows []flows.Flow
	// Register says how to obtain a client ID at the authorization server.
	Register Registration
	// Options are the user's choices. They are stored with the credential.
	Options LoginOptions
	// MoreScopes are requested in addition to the usual scopes, such as those of
	// an *InsufficientScopeError: the request then has them and all scopes
	// requested before (SEP-2350).
	MoreScopes []string
	// Replace ignores the stored record and replaces it, even if it belongs to
	// another server or cannot be read. The record stays until the login is
	// complete. A record of a newer version is never replaced.
	Replace bool
	// Accept is called before the new credential is stored. If it returns an
	// error, the tokens are revoked and the stored credential stays. Nil accepts
	// all.
	Accept func(Credential) error
	// Chosen is called before a flow runs, and again for the next one if the
	// flow turns out to be unsupported. Nil means no call.
	Chosen func(flows.Choice)
	// Skipped is called with the reason before the login continues with the next
	// flow. Nil means no call.
	Skipped func(flows.Choice, error)
}

// LoginOptions are the user's choices for a login. They are stored with the
// credential; a later login without options reuses them.
type LoginOptions struct {
	// Scopes to request; nil means the specification's choice: the challenge's
	// scope, else all that the resource publishes, else none, and offline_access
	// where the authorization server lists it.
	Scopes []string `json:"scopes,omitempty"`
	// Flows names the flows to use, best first; nil means all interactive flows
	// of the request.
	Flows []string `json:"flows,omitempty"`
	// Issuer selects one of the listed authorization servers; "" means the
	// first that supports one of the flows.
	Issuer string `json:"issuer,omitempty"`
	// AcceptIssuer accepts an issuer whose metadata names another one.
	AcceptIssuer IssuerPair `json:"accept_issuer,omitzero"`
	// AcceptMissingIss is an issuer whose authorization responses may lack the iss
	// that its metadata promises (RFC 9207 §2.4); "": none may.
	AcceptMissingIss string `json:"accept_missing_iss,omitempty"`
	// NoResource omits the resource parameter (RFC 8707), which some servers
	// reject.
	NoResource bool `json:"no_resource,omitempty"`
	// Params are additional parameters of the authorization request.
	Params url.Values `json:"params,omitempty"`
	// UseIDToken presents the id_token as the bearer token.
	UseIDToken bool `json:"use_id_token,omitempty"`
	// DPoP binds the tokens to a key of this credential (RFC 9449), even if the
	// resource does not require it.
	DPoP bool `json:"dpop,omitempty"`
	// Inputs are for non-interactive flows.
	Inputs flows.Inputs `json:"inputs,omitzero"`
	// Endpoints override those of the metadata; empty ones do not.
	Endpoints Endpoints `json:"endpoints,omitzero"`
}

// IssuerPair is an issuer as the MCP server lists it, and the different issuer that
// its metadata contains. They must be identical (RFC 8414 §3.3); accept a pair only
// if you know that the vendor runs both.
type IssuerPair struct {
	Listed    string `json:"listed,omitempty"`
	Published string `json:"published,omitempty"`
}

// String returns the pair in the form that --accept-issuer takes; "" for the
// zero pair.
func (p IssuerPair) String() string {
	if p == (IssuerPair{}) {
		return ""
	}
	return p.Listed + "=" + p.Published
}

// Endpoints are endpoints of an authorization server that the user sets. With a
// token endpoint and an issuer, no metadata is fetched.
type Endpoints struct {
	Authorization       string `json:"authorization_endpoint,omitempty"`
	DeviceAuthorization string `json:"device_authorization_endpoint,omitempty"`
	Token               string `json:"token_endpoint,omitempty"`
	Registration        string `json:"registration_endpoint,omitempty"`
	Revocation          string `json:"revocation_endpoint,omitempty"`
}

// override returns srv with the endpoints of e in place of the published ones.
func (e Endpoints) override(srv oauth.Server) oauth.Server {
	srv.AuthorizationEndpoint = cmp.Or(e.Authorization, srv.AuthorizationEndpoint)
	srv.DeviceAuthorizationEndpoint = cmp.Or(e.DeviceAuthorization, srv.DeviceAuthorizationEndpoint)
	srv.TokenEndpoint = cmp.Or(e.Token, srv.TokenEndpoint)
	srv.RegistrationEndpoint = cmp.Or(e.Registration, srv.RegistrationEndpoint)
	srv.RevocationEndpoint = cmp.Or(e.Revocation, srv.RevocationEndpoint)
	return srv
}

// IsZero reports whether no option is set.
func (o LoginOptions) IsZero() bool {
	return len(o.Scopes) == 0 && len(o.Flows) == 0 && o.Issuer == "" && o.AcceptIssuer == (IssuerPair{}) && o.AcceptMissingIss == "" && !o.NoResource && len(o.Params) == 0 && !o.UseIDToken && !o.DPoP && o.Inputs == (flows.Inputs{}) && o.Endpoints == (Endpoints{})
}

// Discover runs the discovery of a login with these options. Its Servers are those
// that the login may use.
func (o LoginOptions) Discover(ctx context.Context, c *http.Client, server string) (Discovery, error) {
	d, err := o.discover(ctx, c, server)
	if err == nil {
		d.Servers, err = o.servers(d)
	}
	return d, err
}

// discover runs Discover, unless the options make the metadata unnecessary.
func (o LoginOptions) discover(ctx context.Context, c *http.Client, server string) (Discovery, error) {
	if !o.skipsMetadata() {
		d, err := Discover(ctx, c, server)
		return o.complete(ctx, c, d, err)
	}
	d := Discovery{Server: server, Servers: []oauth.Server{{Issuer: o.Issuer}}}
	ctx, cancel := withDiscoveryTimeout(ctx, c)
	defer cancel()
	var err error
	if d.Resource, err = oauth.Discover(ctx, c, server); err != nil {
		d.Resource.URL = server // RFC 8707 §2: the URL by which the client accesses the server
	}
	return d, nil
}

// complete adds the authorization server that the user named or accepted: the
// MCP server may list it with another issuer, or list none.
func (o LoginOptions) complete(ctx context.Context, c *http.Client, d Discovery, err error) (Discovery, error) {
	var add oauth.Server
	var aerr error
	switch listed := o.AcceptIssuer.Listed; {
	case listed != "" && slices.Contains(d.Resource.Issuers, listed):
		add, aerr = oauth.FetchServerAs(ctx, c, listed, o.AcceptIssuer.Published)
	case o.Issuer != "" && len(d.Resource.Issuers) == 0 && (err == nil || errors.Is(err, oauth.ErrNoMetadata) || errors.Is(err, oauth.ErrResource) || errors.Is(err, oauth.ErrNoAuthorization)):
		add, aerr = oauth.FetchServer(ctx, c, o.Issuer)
		d.Resource.URL, d.Servers = cmp.Or(d.Resource.URL, d.Server), nil // RFC 8707 §2: the URL by which the client accesses the server
	default:
		return d, err
	}
	if aerr != nil {
		return d, fmt.Errorf("discover %s: %w", d.Server, errors.Join(err, aerr))
	}
	d.Servers = append(d.Servers, add)
	return d, nil
}

// skipsMetadata reports whether the options name the issuer and its token endpoint,
// so that its metadata is not needed.
func (o LoginOptions) skipsMetadata() bool { return o.Issuer != "" && o.Endpoints.Token != "" }

// servers applies Issuer, Endpoints and AcceptMissingIss to the discovered
// servers.
func (o LoginOptions) servers(d Discovery) ([]oauth.Server, error) {
	var servers []oauth.Server
	for _, srv := range d.Servers {
		srv.ResponseIss = srv.ResponseIss && srv.Issuer != o.AcceptMissingIss
		if o.Issuer == "" || o.Issuer == srv.Issuer {
			servers = append(servers, o.Endpoints.override(srv))
		}
	}
	if len(servers) == 0 {
		return nil, fmt.Errorf("issuer %s is not among the authorization servers of %s", oauth.Sanitize(o.Issuer, 200), d.Server)
	}
	return servers, nil
}

// scopes returns the scopes to request, by the MCP specification's scope
// selection. Nil means that the parameter is not sent.
func (o LoginOptions) scopes(r oauth.Resource) []string {
	switch {
	case len(o.Scopes) > 0:
		return o.Scopes
	case r.ChallengeScope != "":
		return strings.Fields(r.ChallengeScope)
	}
	return r.Scopes
}

// bind sets the client's DPoP key, or clears it if DPoP is off.
func (o LoginOptions) bind(app *oauth.App) (err error) {
	switch {
	case !o.DPoP:
		app.DPoPKey = nil
	case app.DPoPKey == nil:
		app.DPoPKey, err = oauth.NewKey()
	}
	return err
}

// errNoIDToken: with UseIDToken the access token is never used instead.
var errNoIDToken = errors.New("the server returned no id_token, which this sign-in uses as the bearer token")

// tokenToKeep returns the token to store. With UseIDToken the id_token replaces
// the access token. A scope that a refresh response omits is taken from the old
// token (RFC 6749 §5.1).
func (o LoginOptions) tokenToKeep(t, old oauth.Token) (oauth.Token, error) {
	if t.Scope == "" {
		t.Scope = old.Scope
	}
	if !o.UseIDToken {
		return t, nil
	}
	if t.ID == "" {
		return t, errNoIDToken
	}
	t.Access = t.ID
	if exp, err := oauth.IDTokenExpiry(t.ID); err == nil {
		t.Expiry = exp
	}
	return t, nil
}
