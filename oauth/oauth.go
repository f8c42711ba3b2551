// Package oauth implements the OAuth messages that a client of MCP servers
// sends and receives, one file per RFC.
//
// Most programs should use package mcplogin instead, which combines these
// messages with a store and refreshes safely. Use this package for single
// requests: [Discover] and [FetchServer] find the authorization server of an
// MCP server, [Register] registers a client, and a [Client] sends requests to
// its token, device authorization and revocation endpoints.
//
// # Security
//
// Every response is treated as hostile. Make the http.Client with [Guard]: it
// refuses plain http except to loopback, private addresses unless the MCP
// server has one, redirects of a POST, and long bodies. Types that hold secrets
// print as redacted. Errors never carry a response body.
//
// # Stability
//
// Exported names follow semantic versioning. The JSON forms of [Server],
// [App] and [Token] are persisted by package mcplogin and stay readable.
package oauth

import (
	"log/slog"
	"time"
)

// Server is the part of an authorization server's metadata that this package
// uses (RFC 8414 §2, OpenID Connect Discovery §3). Field names in JSON are the
// registered metadata names. An empty endpoint is not supported by the server.
type Server struct {
	Issuer                      string   `json:"issuer"`
	AuthorizationEndpoint       string   `json:"authorization_endpoint,omitempty"`
	DeviceAuthorizationEndpoint string   `json:"device_authorization_endpoint,omitempty"` // RFC 8628 §4
	TokenEndpoint               string   `json:"token_endpoint,omitempty"`
	RegistrationEndpoint        string   `json:"registration_endpoint,omitempty"` // RFC 7591
	RevocationEndpoint          string   `json:"revocation_endpoint,omitempty"`   // RFC 7009
	GrantTypes                  []string `json:"grant_types_supported,omitempty"`
	Scopes                      []string `json:"scopes_supported,omitempty"`
	TokenAuthMethods            []string `json:"token_endpoint_auth_methods_supported,omitempty"`
	TokenAuthAlgs               []string `json:"token_endpoint_auth_signing_alg_values_supported,omitempty"`
	CodeChallengeMethods        []string `json:"code_challenge_methods_supported,omitempty"`               // RFC 7636
	ResponseIss                 bool     `json:"authorization_response_iss_parameter_supported,omitempty"` // RFC 9207 §3
	ClientIDMetadataDocument    bool     `json:"client_id_metadata_document_supported,omitempty"`
	DPoPAlgs                    []string `json:"dpop_signing_alg_values_supported,omitempty"` // RFC 9449 §5.1
	Guessed                     bool     `json:"-"`                                           // no metadata was published: see [LegacyServer]
}

// Endpoint is one endpoint of a Server.
type Endpoint struct {
	Name string // the registered metadata name, such as "token_endpoint"
	URL  string // "": not supported
}

// Endpoints returns every endpoint, including empty ones, always in the same
// order.
func (s Server) Endpoints() []Endpoint {
	return []Endpoint{
		{"authorization_endpoint", s.AuthorizationEndpoint},
		{"device_authorization_endpoint", s.DeviceAuthorizationEndpoint},
		{"token_endpoint", s.TokenEndpoint},
		{"registration_endpoint", s.RegistrationEndpoint},
		{"revocation_endpoint", s.RevocationEndpoint},
	}
}

// Resource is the metadata of a protected resource (RFC 9728 §2) with the scope
// of the challenge.
type Resource struct {
	URL            string   `json:"resource"` // byte for byte as published
	Issuers        []string `json:"authorization_servers,omitempty"`
	Scopes         []string `json:"scopes_supported,omitempty"`
	Name           string   `json:"resource_name,omitempty"`
	DPoP           bool     `json:"dpop_bound_access_tokens_required,omitempty"` // by metadata, or by a challenge that has only the DPoP scheme
	ChallengeScope string   `json:"-"`                                           // scope of the WWW-Authenticate header; "" if none was sent
	SSE            bool     `json:"-"`                                           // the server uses the HTTP+SSE transport of 2024-11-05
}

// App is a client registration at one authorization server: pre-registered,
// dynamic (RFC 7591), or a client ID metadata document. It belongs to one
// issuer and must never be sent to another.
type App struct {
	ID                string    `json:"client_id"`
	Secret            string    `json:"client_secret,omitempty"`
	SecretExpiry      time.Time `json:"client_secret_expires_at,omitzero"`    // zero: never
	AuthMethod        string    `json:"token_endpoint_auth_method,omitempty"` // "": chosen by the server's metadata
	GrantTypes        []string  `json:"grant_types,omitempty"`                // as registered; nil: unknown
	RedirectURIs      []string  `json:"redirect_uris,omitempty"`
	Scope             string    `json:"scope,omitempty"`                     // scopes that the client may request, space-separated, as registered; "": unknown
	RegistrationURI   string    `json:"registration_client_uri,omitempty"`   // RFC 7592 §3
	RegistrationToken string    `json:"registration_access_token,omitempty"` // RFC 7592 §3
	Key               *Key      `json:"key,omitempty"`                       // for private_key_jwt; nil: none
	DPoPKey           *Key      `json:"dpop_key,omitempty"`                  // binds tokens to this key (RFC 9449); nil: bearer tokens
}

// Token is a successful response of the token endpoint (RFC 6749 §5.1).
type Token struct {
	Access  string    `json:"access_token"`
	Refresh string    `json:"refresh_token,omitempty"`
	Type    string    `json:"token_type,omitempty"` // "Bearer" or "DPoP"
	Scope   string    `json:"scope,omitempty"`      // granted, space-separated; "": as requested
	Expiry  time.Time `json:"expiry,omitzero"`      // absolute, UTC; zero: unknown
	ID      string    `json:"id_token,omitempty"`
}

const redacted = "[redacted]"

// String hides every secret, so that a Token can be printed.
func (t Token) String() string { return "oauth.Token" + redacted }

// GoString hides every secret under %#v too.
func (t Token) GoString() string { return t.String() }

// LogValue hides every secret from log/slog.
func (t Token) LogValue() slog.Value { return slog.StringValue(redacted) }

// String shows only the client ID.
func (a App) String() string { return "oauth.App{" + a.ID + "}" }

// GoString shows only the client ID under %#v too.
func (a App) GoString() string { return a.String() }

// LogValue shows only the client ID to log/slog.
func (a App) LogValue() slog.Value { return slog.StringValue(a.ID) }
