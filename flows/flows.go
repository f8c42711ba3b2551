// Package flows defines a way to get a token, and chooses among them.
//
// The folders below it hold the flows: device (RFC 8628), authcode (RFC 8252
// with RFC 7636) and clientcred. [Select] picks the first that the
// authorization server and the caller's surroundings allow.
//
// # Stability
//
// [Flow] does not grow. What only some flows can do is an optional interface,
// such as [Registrant].
package flows

import (
	"context"
	"errors"
	"net/url"

	"github.com/mcp-login/mcp-login/oauth"
)

// The errors that end a flow. Flows wrap them.
var (
	// ErrUnsupported: this flow cannot be used here; the next may.
	ErrUnsupported = errors.New("not supported")
	// ErrDenied: a person or the server refused. No other flow is tried.
	ErrDenied = errors.New("authorization was denied")
	// ErrExpired: nobody approved in time.
	ErrExpired = errors.New("authorization was not approved in time")
	// ErrClient: this client's registration cannot do it; a fresh one may.
	ErrClient = errors.New("the client's registration does not fit")
)

// Request is one login that a flow is asked to run.
type Request struct {
	Client   *oauth.Client // who we are, at which authorization server
	Server   string        // the MCP server's URL, to be shown to people
	Resource string        // RFC 8707, byte for byte; "": not sent
	Scopes   []string      // nil: the scope parameter is not sent
	Params   url.Values    // further parameters of the authorization request; nil: none
	Inputs   Inputs        // of a non-interactive flow
}

// Inputs say where a non-interactive flow finds what it needs at each run. They are
// stored with the credential, so what is secret is a source, such as
// "env:NAME", that only the flow's own reader understands.
type Inputs struct {
	Assertion        string `json:"assertion,omitempty"`          // source
	SubjectToken     string `json:"subject_token,omitempty"`      // source
	SubjectTokenType string `json:"subject_token_type,omitempty"` // RFC 8693 §3; "": id_token
	Audience         string `json:"audience,omitempty"`           // of an exchange or a CI's id token; "": the issuer, where one is needed
	IDPIssuer        string `json:"idp_issuer,omitempty"`         // identity provider of ID-JAG
	IDPTokenEndpoint string `json:"idp_token_endpoint,omitempty"` // "": read the issuer's metadata
	IDPClientID      string `json:"idp_client_id,omitempty"`      // our client at the identity provider
	IDPClientSecret  string `json:"idp_client_secret,omitempty"`  // source; "": a public client
}

// Flow is one way to get a token.
type Flow interface {
	// Name is short and stable; it is stored and accepted by --flow.
	Name() string
	// Check returns nil, or why the flow cannot be used at this server
	// (wrapping ErrUnsupported). It does no I/O.
	Check(oauth.Server) error
	// Run gets a token. It may wait for a person until ctx ends.
	Run(ctx context.Context, r Request) (oauth.Token, error)
}

// NonInteractive is a Flow that needs no person, so that it can be run again
// whenever its token expires.
type NonInteractive interface {
	Flow
	// NonInteractive marks the flow.
	NonInteractive()
}

// Registrant is a Flow that works with a client registered dynamically.
type Registrant interface {
	Flow
	// Metadata returns what the registration must ask for (RFC 7591 §2):
	// grant types, response types and redirect URIs. It may reserve what the
	// run will need, such as a listener's port.
	Metadata() (oauth.ClientMetadata, error)
}

// Documented is a Registrant whose redirect URI is in a client id metadata
// document, for servers that take one in place of a registration.
type Documented interface {
	Registrant
	// DocumentURL returns the document's address, which is the client id; "": none.
	DocumentURL() string
}
