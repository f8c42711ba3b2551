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

// LoginRequest is what one Login asks for. The zero LoginRequest asks in the same
// way as the stored credential's login did.
type LoginRequest struct {
	// Flows get the token, best first; one that needs no person runs only if
	// Options names it. Nil means those of Config.Renewal.
	Flows []flows.Flow
	// Register is what may be used to become known to the authorization server.
	Register Registration
	// Options are what a person decides about the login. They are stored.
	Options LoginOptions
	// MoreScopes are scopes to ask for beyond the usual ones, such as those of an
	// *InsufficientScopeError: the request then holds them and all that were asked
	// before (SEP-2350).
	MoreScopes []string
	// Replace replaces whatever is stored, as if nothing were: also the credential
	// of another server, or a record that cannot be read. Until the login is
	// complete the record stays. A newer version's is never replaced.
	Replace bool
	// Accept is asked before the new credential is stored. Its error rejects it:
	// the tokens are revoked and the stored credential stays. Nil accepts all.
	Accept func(Credential) error
	// Chosen hears which flow is about to run, and of the next one if that turns
	// out to be unsupported. Nil means that nobody does.
	Chosen func(flows.Choice)
	// Skipped hears why a flow was given up for the next one. Nil means that nobody
	// does.
	Skipped func(flows.Choice, error)
}

// LoginOptions is what a person may decide about a login. It is stored with
// the credential; a later login without options asks the same way again.
type LoginOptions struct {
	// Scopes to ask for; nil means the specification's choice: the challenge's
	// scope, else all that the resource publishes, else none, and offline_access
	// where the authorization server lists it.
	Scopes []string `json:"scopes,omitempty"`
	// Flows names the flows to use, best first; nil means all of the
	// request that ask a person.
	Flows []string `json:"flows,omitempty"`
	// Issuer picks one of the authorization servers listed; "" means the first
	// that offers a wanted flow.
	Issuer string `json:"issuer,omitempty"`
	// AcceptIssuer accepts an issuer whose metadata names another one.
	AcceptIssuer IssuerPair `json:"accept_issuer,omitzero"`
	// AcceptMissingIss is an issuer whose authorization responses may lack the iss
	// that its metadata promises (RFC 9207 §2.4); "": none may.
	AcceptMissingIss string `json:"accept_missing_iss,omitempty"`
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

// IssuerPair is an issuer as the MCP server lists it, and the one that its metadata
// publishes. They must be the same (RFC 8414 §3.3); accept a pair only if you know
// that the vendor runs both.
type IssuerPair struct {
	Listed    string `json:"listed,omitempty"`
	Published string `json:"published,omitempty"`
}

// String returns the pair as --accept-issuer takes it; "" for none.
func (p IssuerPair) String() string {
	if p == (IssuerPair{}) {
		return ""
	}
	return p.Listed + "=" + p.Published
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

// override returns srv with the given endpoints in place of those that it published.
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
	return len(o.Scopes) == 0 && len(o.Flows) == 0 && o.Issuer == "" && o.AcceptIssuer == (IssuerPair{}) && o.AcceptMissingIss == "" && !o.NoResource && len(o.Params) == 0 && !o.UseIDToken && !o.DPoP && o.Inputs == (flows.Inputs{}) && o.Endpoints == (Endpoints{})
}

// Discover asks a server as a login with these options does: the servers are those
// that the login may use.
func (o LoginOptions) Discover(ctx context.Context, c *http.Client, server string) (Discovery, error) {
	d, err := o.discover(ctx, c, server)
	if err == nil {
		d.Servers, err = o.servers(d)
	}
	return d, err
}

// discover asks the server, unless a person said all that there is to know.
func (o LoginOptions) discover(ctx context.Context, c *http.Client, server string) (Discovery, error) {
	if !o.byHand() {
		d, err := Discover(ctx, c, server)
		return o.complete(ctx, c, d, err)
	}
	d := Discovery{Server: server, Servers: []oauth.Server{{Issuer: o.Issuer}}}
	ctx, cancel := discoveryTime(ctx, c)
	defer cancel()
	var err error
	if d.Resource, err = oauth.Discover(ctx, c, server); err != nil {
		d.Resource.URL = server // RFC 8707 §2: what the client uses to reach it
	}
	return d, nil
}

// complete adds the authorization server that a person named or accepted to what
// was discovered: the MCP server may list it with another issuer, or list none.
func (o LoginOptions) complete(ctx context.Context, c *http.Client, d Discovery, err error) (Discovery, error) {
	var add oauth.Server
	var aerr error
	switch listed := o.AcceptIssuer.Listed; {
	case listed != "" && slices.Contains(d.Resource.Issuers, listed):
		add, aerr = oauth.FetchServerAs(ctx, c, listed, o.AcceptIssuer.Published)
	case o.Issuer != "" && len(d.Resource.Issuers) == 0 && (err == nil || errors.Is(err, oauth.ErrNoMetadata) || errors.Is(err, oauth.ErrResource) || errors.Is(err, oauth.ErrNoAuthorization)):
		add, aerr = oauth.FetchServer(ctx, c, o.Issuer)
		d.Resource.URL, d.Servers = cmp.Or(d.Resource.URL, d.Server), nil // RFC 8707 §2: what the client uses to reach it
	default:
		return d, err
	}
	if aerr != nil {
		return d, fmt.Errorf("discover %s: %w", d.Server, errors.Join(err, aerr))
	}
	d.Servers = append(d.Servers, add)
	return d, nil
}

// byHand reports whether a person named the authorization server and its token
// endpoint, so that no metadata of it is read.
func (o LoginOptions) byHand() bool { return o.Issuer != "" && o.Endpoints.Token != "" }

// servers applies the issuer filter, the endpoint overrides and what is accepted.
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

// errNoIDToken: the access token is never used in place of an id_token.
var errNoIDToken = errors.New("the server returned no id_token, which this sign-in uses as the bearer token")

// settle makes an answer the token to keep: an id_token is moved into the
// bearer's place if so decided, and what a refresh did not answer is kept.
func (o LoginOptions) settle(t, old oauth.Token) (oauth.Token, error) {
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
