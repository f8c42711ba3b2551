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
	// ErrLoginRequired: only a person can help, by Login. It is always a
	// *LoginRequiredError.
	ErrLoginRequired = errors.New("login required")
	// ErrBound: the token is bound to a key (RFC 9449), so no header that could
	// be given to a client authorizes a request. Session.Transport proves the key.
	ErrBound = errors.New("the token is bound to a key, so a header alone cannot use it")
	// ErrRegistration: no client id could be had at the authorization server.
	ErrRegistration = errors.New("no client registration")
	// ErrNeedsDocument: the authorization server registers no clients and knows
	// those that [Registration].ClientMetadataURL describes.
	ErrNeedsDocument = errors.New("the server accepts only clients with a client ID metadata document")
)

// LoginRequiredError says which profile must log in, and why.
type LoginRequiredError struct {
	Profile string
	Server  string // "" where nothing is stored
	Reason  string
	Valid   bool // the stored token has not expired: the server rejected it before
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

// ServerChangedError means that a profile belongs to another MCP server than
// the one given. Credentials never move between servers.
type ServerChangedError struct{ Profile, Stored, Given string }

func (e *ServerChangedError) Error() string {
	return fmt.Sprintf("profile %q belongs to %s, not to %s", e.Profile, e.Stored, e.Given)
}

// UnreadableError means that nothing can read a record, though the store works.
// [LoginRequest].Replace has a login replace it.
type UnreadableError struct {
	Profile string
	Err     error // wraps secrets.ErrUndecryptable
}

func (e *UnreadableError) Error() string { return e.Err.Error() }

// Unwrap returns why the record cannot be read.
func (e *UnreadableError) Unwrap() error { return e.Err }

// IssuerChangedError means that the MCP server now names another authorization
// server, or other endpoints, than at the last login. It is refused until a
// person agrees ([Registration].AcceptNewIssuer), since a hostile answer looks the
// same.
type IssuerChangedError struct {
	Profile     string
	What        string // "issuer", "token_endpoint", ...
	Stored, Now string // Now is "" for an endpoint that is gone
}

func (e *IssuerChangedError) Error() string {
	if e.Now == "" {
		return fmt.Sprintf("profile %q: the server no longer has a %s, which was %s", e.Profile, e.What, e.Stored)
	}
	return fmt.Sprintf("profile %q: the server's %s changed from %s to %s", e.Profile, e.What, e.Stored, e.Now)
}

// UnnamedIssuerError means that a login would send a secret to an authorization
// server, or to endpoints of it, that the MCP server or a stored record chose and
// nobody here named. Nothing was sent. To agree, name the issuer by
// [Registration].Issuer, and endpoints by [LoginOptions].Endpoints.
type UnnamedIssuerError struct {
	Profile   string
	Server    string // the MCP server
	Issuer    string
	Secret    string    // what would be sent, such as "the client secret"
	Endpoints Endpoints // that only the stored record names
}

func (e *UnnamedIssuerError) Error() string {
	if e.Endpoints != (Endpoints{}) {
		return fmt.Sprintf("profile %q: %s was not sent to %s: the stored record sets endpoints for this issuer, and you have not confirmed them on this host",
			e.Profile, e.Secret, oauth.Sanitize(e.Issuer, 200))
	}
	return fmt.Sprintf("profile %q: %s was not sent to %s: %s chose this issuer, and you have not confirmed it",
		e.Profile, e.Secret, oauth.Sanitize(e.Issuer, 200), oauth.Sanitize(e.Server, 200))
}

// RecordError means that a stored record, or a credential that an agent
// provides, holds a value that this program would not have stored: the record
// is damaged, or somebody else wrote it. It shows no value. It is a
// secrets.ErrUndecryptable.
type RecordError struct {
	Profile string // "" where it is not known
	Field   string // such as "token.access_token"
	Reason  string
}

func (e *RecordError) Error() string {
	return fmt.Sprintf("the record is not valid: %s %s", e.Field, e.Reason)
}

// Is makes errors.Is(err, secrets.ErrUndecryptable) true.
func (e *RecordError) Is(target error) bool { return target == secrets.ErrUndecryptable }

// InsufficientScopeError is the MCP server's 403 with insufficient_scope
// (RFC 6750 §3.1): a login must ask for Scopes.
type InsufficientScopeError struct {
	Profile string
	Scopes  []string // the challenge's scope, authoritative for the operation; nil: it names no valid one
}

func (e *InsufficientScopeError) Error() string {
	if len(e.Scopes) == 0 {
		return e.Profile + ": the server requires more scopes but does not name them"
	}
	return fmt.Sprintf("%s: the server requires more scopes: %s", e.Profile, strings.Join(e.Scopes, " "))
}

// LogoutError says which half of a logout failed. A nil field succeeded.
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

// Unwrap gives both causes to errors.Is.
func (e *LogoutError) Unwrap() []error { return []error{e.Delete, e.Revoke} }
