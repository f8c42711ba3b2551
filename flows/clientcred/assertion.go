package clientcred

import (
	"context"
	"slices"

	"github.com/mcp-login/mcp-login/flows"
	"github.com/mcp-login/mcp-login/oauth"
)

// JWTBearer is the JWT bearer grant with an assertion that a third party
// signed, such as a workload's identity token (RFC 7523 §2.1).
type JWTBearer struct {
	Read Read // reads Inputs.Assertion; required
}

var (
	_ flows.NonInteractive = JWTBearer{}
	_ flows.Registrant     = JWTBearer{}
)

// Name returns "jwt-bearer".
func (JWTBearer) Name() string { return "jwt-bearer" }

// NonInteractive marks the flow.
func (JWTBearer) NonInteractive() {}

// Check requires a token endpoint and, if the server lists grants, this one.
func (JWTBearer) Check(s oauth.Server) error { return checkGrants(s, oauth.GrantJWTBearer) }

// Metadata requests this grant only.
func (JWTBearer) Metadata() (oauth.ClientMetadata, error) {
	return registration(oauth.GrantJWTBearer), nil
}

// Run sends one token request.
func (f JWTBearer) Run(ctx context.Context, r flows.Request) (oauth.Token, error) {
	assertion, err := read(ctx, f.Read, r.Inputs.Assertion, "assertion")
	if err != nil {
		return oauth.Token{}, err
	}
	return r.Client.Token(ctx, oauth.JWTBearerGrant(assertion, r.Resource, r.Scopes))
}

// TokenExchange is the token exchange grant (RFC 8693).
type TokenExchange struct {
	Read Read // reads Inputs.SubjectToken; required
}

var (
	_ flows.NonInteractive = TokenExchange{}
	_ flows.Registrant     = TokenExchange{}
)

// Name returns "token-exchange".
func (TokenExchange) Name() string { return "token-exchange" }

// NonInteractive marks the flow.
func (TokenExchange) NonInteractive() {}

// Check requires a token endpoint and, if the server lists grants, this one.
func (TokenExchange) Check(s oauth.Server) error { return checkGrants(s, oauth.GrantTokenExchange) }

// Metadata requests this grant only.
func (TokenExchange) Metadata() (oauth.ClientMetadata, error) {
	return registration(oauth.GrantTokenExchange), nil
}

// Run sends one token request.
func (f TokenExchange) Run(ctx context.Context, r flows.Request) (oauth.Token, error) {
	subject, err := read(ctx, f.Read, r.Inputs.SubjectToken, "subject token")
	if err != nil {
		return oauth.Token{}, err
	}
	return r.Client.Token(ctx, exchange(subject, r).Grant())
}

func exchange(subject string, r flows.Request) oauth.Exchange {
	return oauth.Exchange{
		Subject:     subject,
		SubjectType: r.Inputs.SubjectTokenType,
		Audience:    r.Inputs.Audience,
		Resource:    r.Resource,
		Scopes:      r.Scopes,
	}
}

// CI uses the ID token of the CI job that runs this program: as an assertion if
// the server lists that grant, else in a token exchange.
type CI struct {
	// IDToken requests an ID token for an audience from the CI system.
	// Required.
	IDToken func(ctx context.Context, audience string) (string, error)
}

var (
	_ flows.NonInteractive = CI{}
	_ flows.Registrant     = CI{}
)

// Name returns "ci".
func (CI) Name() string { return "ci" }

// NonInteractive marks the flow.
func (CI) NonInteractive() {}

// Check requires a token endpoint and, if the server lists grants, this one.
func (CI) Check(s oauth.Server) error {
	return checkGrants(s, oauth.GrantJWTBearer, oauth.GrantTokenExchange)
}

// Metadata requests both grants; the server registers those that it supports.
func (CI) Metadata() (oauth.ClientMetadata, error) {
	return registration(oauth.GrantJWTBearer, oauth.GrantTokenExchange), nil
}

// Run requests an ID token for Inputs.Audience, by default the issuer, and
// sends it.
func (f CI) Run(ctx context.Context, r flows.Request) (oauth.Token, error) {
	audience := r.Inputs.Audience
	if audience == "" {
		audience = r.Client.Server.Issuer
	}
	id, err := f.IDToken(ctx, audience)
	if err != nil {
		return oauth.Token{}, err
	}
	if slices.Contains(r.Client.Server.GrantTypes, oauth.GrantJWTBearer) {
		return r.Client.Token(ctx, oauth.JWTBearerGrant(id, r.Resource, r.Scopes))
	}
	return r.Client.Token(ctx, exchange(id, r).Grant())
}

// registration returns the metadata of a client without redirect URIs.
func registration(grants ...string) oauth.ClientMetadata {
	return oauth.ClientMetadata{GrantTypes: grants, ResponseTypes: []string{}, RedirectURIs: []string{}}
}
