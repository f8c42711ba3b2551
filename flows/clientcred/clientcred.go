// Package clientcred has the non-interactive flows: client credentials (RFC
// 6749 §4.4), an assertion (RFC 7523), token exchange (RFC 8693), an
// enterprise's identity provider (ID-JAG) and a CI job's ID token.
//
// Each runs again when its token expires, also in env and exec. flows.Inputs
// names what a run needs besides the client. It is read again for each run,
// because an ID token is valid only for minutes.
//
// # Security
//
// Only sources ("env:NAME") are stored, never their contents. An error response
// ends the flow: no other grant is tried.
//
// # Stability
//
// The names of flows are stored and do not change.
package clientcred

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/mcp-login/mcp-login/flows"
	"github.com/mcp-login/mcp-login/oauth"
)

// Read returns the content of a source in flows.Inputs.
type Read func(ctx context.Context, source string) (string, error)

// ClientCredentials is the client credentials grant (RFC 6749 §4.4), with a
// client secret or private_key_jwt. It requires a pre-registered client.
type ClientCredentials struct{}

var _ flows.NonInteractive = ClientCredentials{}

// Name returns "client-credentials".
func (ClientCredentials) Name() string { return "client-credentials" }

// NonInteractive marks the flow.
func (ClientCredentials) NonInteractive() {}

// Check requires a token endpoint and, if the server lists grants, this one.
func (ClientCredentials) Check(s oauth.Server) error {
	return checkGrants(s, oauth.GrantClientCredentials)
}

// Run sends one token request.
func (ClientCredentials) Run(ctx context.Context, r flows.Request) (oauth.Token, error) {
	if r.Client.App.Secret == "" && r.Client.App.Key == nil {
		return oauth.Token{}, errors.New("client credentials require a client secret or a private key")
	}
	form := oauth.ClientCredentialsGrant(r.Resource, r.Scopes)
	for name, values := range r.Params {
		form[name] = values
	}
	return r.Client.Token(ctx, form)
}

// checkGrants requires a token endpoint, and one of the grants if the server lists
// any. If it lists none, any grant is allowed: the default of RFC 8414 §2 would
// exclude every grant here.
func checkGrants(s oauth.Server, grants ...string) error {
	if s.TokenEndpoint == "" {
		return fmt.Errorf("%w: the server has no token endpoint", flows.ErrUnsupported)
	}
	listed := func(grant string) bool { return slices.Contains(s.GrantTypes, grant) }
	if len(s.GrantTypes) > 0 && !slices.ContainsFunc(grants, listed) {
		return fmt.Errorf("%w: the server does not list the grant", flows.ErrUnsupported)
	}
	return nil
}

// read returns the content of a source. Parameter what names the input in
// errors.
func read(ctx context.Context, from Read, source, what string) (string, error) {
	if source == "" {
		return "", fmt.Errorf("%s is required", what)
	}
	text, err := from(ctx, source)
	if err != nil {
		return "", fmt.Errorf("read %s: %w", what, err)
	}
	return text, nil
}
