// Package clientcred holds the flows that need no person: the client's own
// credentials (RFC 6749 §4.4), an assertion (RFC 7523), an exchanged token
// (RFC 8693), an enterprise's identity provider (ID-JAG) and a CI job's id
// token.
//
// Each is run again whenever its token expires, in env and exec too. What a
// run needs besides the client is named by flows.Inputs and read again each
// time, since an id token lives for minutes.
//
// # Security
//
// Only sources ("env:NAME") are ever stored, never what they hold. An error of
// the server ends the flow: another grant is not tried in its place.
//
// # Stability
//
// Names of flows are stored and do not change.
package clientcred

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/mcp-login/mcp-login/flows"
	"github.com/mcp-login/mcp-login/oauth"
)

// Read returns what a source of flows.Inputs holds.
type Read func(ctx context.Context, source string) (string, error)

// ClientCredentials is the client acting for itself (RFC 6749 §4.4), by client
// secret or private_key_jwt. It needs a client registered by hand.
type ClientCredentials struct{}

var _ flows.NonInteractive = ClientCredentials{}

// Name returns "client-credentials".
func (ClientCredentials) Name() string { return "client-credentials" }

// NonInteractive marks the flow.
func (ClientCredentials) NonInteractive() {}

// Check wants a token endpoint and, where grants are listed, this one.
func (ClientCredentials) Check(s oauth.Server) error { return offers(s, oauth.GrantClientCredentials) }

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

// offers wants a token endpoint, and one of the grants where the server lists
// any. A server that lists none is taken to have forgotten: the default of RFC
// 8414 §2 would rule out every grant here.
func offers(s oauth.Server, grants ...string) error {
	if s.TokenEndpoint == "" {
		return fmt.Errorf("%w: the server has no token endpoint", flows.ErrUnsupported)
	}
	listed := func(grant string) bool { return slices.Contains(s.GrantTypes, grant) }
	if len(s.GrantTypes) > 0 && !slices.ContainsFunc(grants, listed) {
		return fmt.Errorf("%w: the server does not list the grant", flows.ErrUnsupported)
	}
	return nil
}

// read returns what a source holds; what names the input in errors.
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
