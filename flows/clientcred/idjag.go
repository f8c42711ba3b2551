package clientcred

import (
	"context"
	"errors"
	"fmt"

	"github.com/mcp-login/mcp-login/flows"
	"github.com/mcp-login/mcp-login/oauth"
)

// IDJAG is enterprise-managed authorization (SEP-990): the company's identity
// provider exchanges the user's ID token for an assertion for the MCP server's
// authorization server (RFC 8693), which accepts it as a grant (RFC 7523).
type IDJAG struct {
	Read Read // reads Inputs.SubjectToken and Inputs.IDPClientSecret; required
}

var _ flows.NonInteractive = IDJAG{}

// Name returns "id-jag".
func (IDJAG) Name() string { return "id-jag" }

// NonInteractive marks the flow.
func (IDJAG) NonInteractive() {}

// Check requires a token endpoint and, if the server lists grants, this one.
func (IDJAG) Check(s oauth.Server) error { return checkGrants(s, oauth.GrantJWTBearer) }

// Run sends one token request to each of the two servers.
func (f IDJAG) Run(ctx context.Context, r flows.Request) (oauth.Token, error) {
	subject, err := read(ctx, f.Read, r.Inputs.SubjectToken, "subject token")
	if err != nil {
		return oauth.Token{}, err
	}
	idp, err := f.provider(ctx, r)
	if err != nil {
		return oauth.Token{}, err
	}
	e := exchange(subject, r)
	e.RequestedType, e.Audience = oauth.TokenTypeIDJAG, r.Client.Server.Issuer
	assertion, err := idp.Token(ctx, e.Grant())
	if err != nil {
		return oauth.Token{}, fmt.Errorf("identity provider: %w", err)
	}
	return r.Client.Token(ctx, oauth.JWTBearerGrant(assertion.Access, r.Resource, r.Scopes))
}

// provider returns the client for the identity provider. Its registration is
// independent of that at the MCP server's authorization server.
func (f IDJAG) provider(ctx context.Context, r flows.Request) (*oauth.Client, error) {
	in := r.Inputs
	c := &oauth.Client{HTTP: r.Client.HTTP, App: oauth.App{ID: in.IDPClientID}}
	var err error
	switch {
	case in.IDPTokenEndpoint != "":
		c.Server = oauth.Server{Issuer: in.IDPIssuer, TokenEndpoint: in.IDPTokenEndpoint}
	case in.IDPIssuer != "":
		c.Server, err = oauth.FetchServer(ctx, c.HTTP, in.IDPIssuer)
	default:
		err = errors.New("the identity provider is required")
	}
	if err == nil && in.IDPClientSecret != "" {
		c.App.Secret, err = read(ctx, f.Read, in.IDPClientSecret, "identity provider's client secret")
	}
	return c, err
}
