package mcplogin

import (
	"errors"
	"fmt"
	"strings"

	"github.com/mcp-login/mcp-login/oauth"
	"github.com/mcp-login/mcp-login/secrets"
)

// The errors that a caller branches on with errors.Is.
var (
	// ErrLoginRequired: the user must sign in, by Login. It is always a
	// *LoginRequiredError.
	ErrLoginRequired = errors.New("login required")
	// ErrBound: the token is bound to a key (RFC 9449), so a header alone cannot
	// authorize a request. Session.Transport adds the proof.
	ErrBound = errors.New("the token is bound to a key, so a header alone cannot use it")
	// ErrRegistration: no client ID is available for the authorization server.
	ErrRegistration = errors.New("no client registration")
	// ErrNeedsDocument: the authorization server has no dynamic registration
	// and accepts only clients with a client ID metadata document
	// ([Registration].ClientMetadataURL).
	ErrNeedsDocument = errors.New("the server accepts only clients with a client ID metadata document")
)

// LoginRequiredError says which profile must sign in, and why.
type LoginRequiredError struct {
	Profile string
	Server  string // "" if nothing is stored
	Reason  string
	Valid   bool // the stored token has not expired, but the server rejected it
}

// notStored is the reason where nothing is stored.
const notStored = "no credential is stored"

func (e *LoginRequiredError) Error() string {
	if e.Reason == notStored {
		return fmt.Sprintf("not signed in to %q", e.Profile)
	}
	return fmt.Sprintf("%s: login required: %s", e.Profile, e.Reason)
}

// Is makes errors.Is(err, ErrLoginRequired) true.
func (e *LoginRequiredError) Is(target error) bool { return target == ErrLoginRequired }

// ServerChangedError means that a profile belongs to a different MCP server
// than Config.Server. Credentials never move between servers.
type ServerChangedError struct{ Profile, Stored, Given string }

func (e *ServerChangedError) Error() string {
	return fmt.Sprintf("profile %q belongs to %s, not to %s", e.Profile, e.Stored, e.Given)
}

// UnreadableError means that a record cannot be decrypted or parsed, although
// the store works. A login with [LoginRequest].Replace replaces it.
type UnreadableError struct {
	Profile string
	Err     error // wraps secrets.ErrUndecryptable
}

func (e *UnreadableError) Error() string { return e.Err.Error() }

// Unwrap returns why the record cannot be read.
func (e *UnreadableError) Unwrap() error { return e.Err }

// IssuerChangedError means that the MCP server now names another authorization
// server, or other endpoints, than at the last login. It is an error until the
// user accepts the change ([Registration].AcceptNewIssuer), because an attack
// looks the same.
type IssuerChangedError struct {
	Profile     string
	What        string // "issuer", "token_endpoint", ...
	Stored, Now string // Now is "" if the endpoint was removed
}

func (e *IssuerChangedError) Error() string {
	if e.Now == "" {
		return fmt.Sprintf("profile %q: the server no longer has a %s, which was %s", e.Profile, e.What, e.Stored)
	}
	return fmt.Sprintf("profile %q: the server's %s changed from %s to %s", e.Profile, e.What, e.Stored, e.Now)
}

// UnnamedIssuerError means that a login would send a secret to an authorization
// server, or to endpoints of it, that only the MCP server or a stored record
// named. Nothing was sent. To confirm them, set [Registration].Issuer, and
// [LoginOptions].Endpoints for endpoints.
type UnnamedIssuerError struct {
	Profile   string
	Server    string // the MCP server
	Issuer    string
	Secret    string    // what would be sent, such as "the client secret"
	Endpoints Endpoints // those that only the stored record names
}

func (e *UnnamedIssuerError) Error() string {
	if e.Endpoints != (Endpoints{}) {
		return fmt.Sprintf("profile %q: %s was not sent to %s: the stored record sets endpoints for this issuer, and you have not confirmed them on this host",
			e.Profile, e.Secret, oauth.Sanitize(e.Issuer, 200))
	}
	return fmt.Sprintf("profile %q: %s was not sent to %s: %s chose this issuer, and you have not confirmed it",
		e.Profile, e.Secret, oauth.Sanitize(e.Issuer, 200), oauth.Sanitize(e.Server, 200))
}

// RecordError means that a stored record, or a credential from an agent, has a
// value that this package never writes: the record is damaged, or another
// program wrote it. The error text contains no values. It is a
// secrets.ErrUndecryptable.
type RecordError struct {
	Profile string // "" if unknown
	Field   string // such as "token.access_token"
	Reason  string
}

func (e *RecordError) Error() string {
	return fmt.Sprintf("the record is not valid: %s %s", e.Field, e.Reason)
}

// Is makes errors.Is(err, secrets.ErrUndecryptable) true.
func (e *RecordError) Is(target error) bool { return target == secrets.ErrUndecryptable }

// InsufficientScopeError is the MCP server's 403 with insufficient_scope (RFC
// 6750 §3.1): a login must request Scopes.
type InsufficientScopeError struct {
	Profile string
	Scopes  []string // the challenge's scope, which the operation needs; nil: none that is valid
}

func (e *InsufficientScopeError) Error() string {
	if len(e.Scopes) == 0 {
		return e.Profile + ": the server requires more scopes but does not name them"
	}
	return fmt.Sprintf("%s: the server requires more scopes: %s", e.Profile, strings.Join(e.Scopes, " "))
}

// LogoutError says which part of a logout failed. A nil field means that this
// part succeeded.
type LogoutError struct {
	Revoke error // the tokens may still be valid at the server until they expire
	Delete error // the record is still stored here
}

func (e *LogoutError) Error() string {
	switch {
	case e.Delete == nil:
		return "the credential was removed, but the tokens were not revoked at the server: " + e.Revoke.Error()
	case e.Revoke == nil:
		return "the tokens were revoked at the server, but the credential was not removed: " + e.Delete.Error()
	}
	return fmt.Sprintf("the tokens were not revoked (%v), and the credential was not removed (%v)", e.Revoke, e.Delete)
}

// Unwrap returns both causes, for errors.Is.
func (e *LogoutError) Unwrap() []error { return []error{e.Delete, e.Revoke} }
