// Package flows defines the interface of sign-in flows, and selects among them.
//
// The subpackages implement the flows: device (RFC 8628), authcode (RFC 8252
// with RFC 7636) and clientcred. [Select] returns the flows that an
// authorization server supports.
//
// # Stability
//
// [Flow] gets no new methods. Additions are optional interfaces, such as
// [Registrant].
package flows

import (
	"context"
	"errors"
	"net/url"

	"github.com/mcp-login/mcp-login/oauth"
)

// The errors that end a flow. Flows wrap them.
var (
	// ErrUnsupported: this flow cannot be used here; the next one is tried.
	ErrUnsupported = errors.New("not supported")
	// ErrDenied: the user or the server denied access. No other flow is tried.
	ErrDenied = errors.New("authorization was denied")
	// ErrExpired: the user did not approve in time.
	ErrExpired = errors.New("authorization was not approved in time")
	// ErrClient: the client's registration does not allow the flow; a new
	// registration may.
	ErrClient = errors.New("the client's registration does not fit")
)

// Request holds the parameters of a flow.
type Request struct {
	Client   *oauth.Client // the client registration and the authorization server
	Server   string        // the MCP server's URL, for display
	Resource string        // RFC 8707, byte for byte; "": not sent
	Scopes   []string      // nil: the scope parameter is not sent
	Params   url.Values    // additional parameters of the authorization request; nil: none
	Inputs   Inputs        // for a non-interactive flow
}

// Inputs are what a non-interactive flow needs for each run. They are stored with
// the credential, so for a secret they have a source, such as "env:NAME", which the
// flow's reader resolves.
type Inputs struct {
	Assertion        string `json:"assertion,omitempty"`          // source
	SubjectToken     string `json:"subject_token,omitempty"`      // source
	SubjectTokenType string `json:"subject_token_type,omitempty"` // RFC 8693 §3; "": id_token
	Audience         string `json:"audience,omitempty"`           // of a token exchange or a CI job's ID token; "": the issuer, if one is required
	IDPIssuer        string `json:"idp_issuer,omitempty"`         // identity provider of ID-JAG
	IDPTokenEndpoint string `json:"idp_token_endpoint,omitempty"` // "": read the issuer's metadata
	IDPClientID      string `json:"idp_client_id,omitempty"`      // client ID at the identity provider
	IDPClientSecret  string `json:"idp_client_secret,omitempty"`  // source; "": a public client
}

// Flow is a way to get a token.
type Flow interface {
	// Name returns a short, stable name, which is stored and accepted by
	// --flow.
	Name() string
	// Check returns an error that wraps ErrUnsupported if the flow cannot be
	// used at this server. It does no I/O.
	Check(oauth.Server) error
	// Run gets a token. It may wait for the user until ctx ends.
	Run(ctx context.Context, r Request) (oauth.Token, error)
}

// NonInteractive is a Flow that does not involve the user, so it can run again
// when its token expires.
type NonInteractive interface {
	Flow
	// NonInteractive marks the flow.
	NonInteractive()
}

// Registrant is a Flow that supports dynamic client registration.
type Registrant interface {
	Flow
	// Metadata returns the client metadata to register (RFC 7591 §2): grant
	// types, response types and redirect URIs. It may reserve resources for
	// Run, such as a listener's port.
	Metadata() (oauth.ClientMetadata, error)
}

// Documented is a Registrant with a client ID metadata document, for servers
// that accept one instead of a registration.
type Documented interface {
	Registrant
	// DocumentURL returns the document's URL, which is the client ID; "": none.
	DocumentURL() string
}
