package mcplogin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/mcp-login/mcp-login/flows"
	"github.com/mcp-login/mcp-login/oauth"
	"github.com/mcp-login/mcp-login/secrets"
)

// Credential is the stored record of a login: one profile at one MCP server. It
// is bound to profile, server, issuer, client and resource, and its endpoints
// are those seen at login: a refresh token is sent nowhere else.
type Credential struct {
	Version  int          `json:"version"`
	Profile  string       `json:"profile"`
	Server   string       `json:"server"`             // the MCP server's URL, as typed
	Resource string       `json:"resource,omitempty"` // RFC 8707, byte for byte as published; "": not sent
	Issuer   oauth.Server `json:"authorization_server"`
	App      oauth.App    `json:"client"`
	Flow     string       `json:"flow,omitempty"` // Name of the flow that got the token
	Asked    []string     `json:"scopes_asked,omitempty"`
	Login    LoginOptions `json:"login,omitzero"` // reused by the next login that sets no options
	Token    oauth.Token  `json:"token,omitzero"` // zero: an older version recorded a login that was not completed

	CreatedAt   time.Time `json:"created_at,omitzero"`
	LoggedInAt  time.Time `json:"logged_in_at,omitzero"`
	RefreshedAt time.Time `json:"refreshed_at,omitzero"`

	// RefreshBegunAt is set before a refresh token is sent and cleared when the
	// response is stored. If a record has it, that refresh was interrupted.
	RefreshBegunAt time.Time `json:"refresh_begun_at,omitzero"`
	// Refused says why the server no longer accepts the refresh token; "": it
	// does.
	Refused string `json:"refused,omitempty"`
	// RefusedAt is when the server rejected a refresh for a reason that may not
	// be permanent. The next attempt follows after refusalLifetime; zero: no
	// such rejection.
	RefusedAt time.Time `json:"refused_at,omitzero"`
	// ClientRefused says that the server no longer knows the client: the next login
	// registers another.
	ClientRefused bool `json:"client_refused,omitempty"`

	unknown unknown // fields of a newer version, which a rewrite keeps; nil: none
}

// String names the profile and hides every secret.
func (c Credential) String() string { return "mcplogin.Credential{" + c.Profile + "}" }

// GoString hides every secret under %#v too.
func (c Credential) GoString() string { return c.String() }

// LogValue hides every secret from log/slog.
func (c Credential) LogValue() slog.Value { return slog.StringValue(c.Profile) }

// Scopes returns the granted scopes: those that the server returned, else the
// requested ones (RFC 6749 §5.1).
func (c Credential) Scopes() []string {
	if c.Token.Scope != "" {
		return strings.Fields(c.Token.Scope)
	}
	return c.Asked
}

// Missing returns the requested scopes that were not granted.
func (c Credential) Missing() []string {
	granted := c.Scopes()
	return slices.DeleteFunc(slices.Clone(c.Asked), func(s string) bool { return slices.Contains(granted, s) })
}

// maxSkew is the largest clock difference tolerated between hosts that share a
// store.
const maxSkew = 5 * time.Minute

// Valid reports whether the access token is valid for at least ttl. A token
// without a known expiry counts as valid until the server rejects it. A token
// issued in the future is not valid: the clock was set back after that, so its
// expiry cannot be compared with the current time. The exception is a
// credential that cannot be refreshed, such as a copy by [Credential.HandOver]:
// no better token is available.
func (c *Credential) Valid(ttl time.Duration) bool {
	switch {
	case c.Token.Access == "":
		return false
	case c.Token.Expiry.IsZero():
		return true
	}
	now := time.Now()
	return c.Token.Expiry.Sub(now) > ttl && (c.issuedAt().Sub(now) < maxSkew || c.Refused != "")
}

// issuedAt returns when the token was issued, by the clock from which its
// expiry was computed. If the clock was set back, this can be earlier than the
// login.
func (c *Credential) issuedAt() time.Time {
	if c.RefreshedAt.IsZero() {
		return c.LoggedInAt
	}
	return c.RefreshedAt
}

// Lifetime is the time from the issue of the token to its expiry; 0 if the
// expiry is unknown.
func (c *Credential) Lifetime() time.Duration {
	return max(c.Token.Expiry.Sub(c.issuedAt()), 0)
}

// Authorization returns the value of the Authorization header for the stored
// token, or ErrBound for a DPoP token.
func (c *Credential) Authorization() (string, error) {
	if c.Token.Type == "DPoP" {
		return "", fmt.Errorf("%s: %w", c.Profile, ErrBound)
	}
	return "Bearer " + c.Token.Access, nil
}

// handedOver is why a copy made by [Credential.HandOver] is not refreshed.
const handedOver = "this copy has no refresh token"

// HandOver returns a copy for another host that is usable until its access
// token expires: it contains no refresh token and no client secret. If two
// hosts refreshed one rotating token, the server would revoke it for both.
func (c Credential) HandOver() Credential {
	app := oauth.App{DPoPKey: c.App.DPoPKey}
	if c.App.Secret == "" && c.App.Key == nil { // a public client has no secrets
		app.ID, app.AuthMethod = c.App.ID, c.App.AuthMethod
		app.GrantTypes, app.RedirectURIs = c.App.GrantTypes, c.App.RedirectURIs
	}
	c.App, c.Token.Refresh, c.Refused = app, "", handedOver
	c.RefreshBegunAt = time.Time{}
	c.unknown = nil // a newer version may store refresh secrets there
	return c
}

// WithoutInputs returns a copy without the inputs of non-interactive flows: the
// sources to read on this host and the audiences to request. It keeps the token.
func (c Credential) WithoutInputs() Credential {
	c.Login.Inputs = flows.Inputs{}
	c.unknown = c.unknown.without("login.inputs") // a newer version may know more sources
	return c
}

// HasInputs reports whether the credential has inputs for a non-interactive flow.
func (c Credential) HasInputs() bool {
	return c.Login.Inputs != (flows.Inputs{}) || len(c.unknown["login.inputs"]) > 0
}

// client returns a client of the authorization server seen at login.
func (s *Session) client(c Credential) *oauth.Client {
	return &oauth.Client{HTTP: s.cfg.HTTP(c.Server), Server: c.Issuer, App: c.App}
}

// read returns the stored credential after checking that it belongs to this
// session. The record of a login that was not completed does not count.
func (s *Session) read(ctx context.Context) (Credential, secrets.Version, error) {
	data, v, err := s.store.Get(ctx, s.cfg.Profile)
	if err != nil {
		return Credential{}, v, s.readError(err)
	}
	c, err := ParseCredential(data)
	if invalid, ok := errors.AsType[*RecordError](err); ok {
		invalid.Profile = s.cfg.Profile
	}
	if err != nil {
		return Credential{}, v, s.readError(err)
	}
	if c.Token.Access == "" && c.Token.Refresh == "" {
		return Credential{}, v, fmt.Errorf("read credential %q: %w: its sign-in was not completed", s.cfg.Profile, secrets.ErrNotFound)
	}
	return c, v, s.checkOwner(c)
}

// readError wraps the error of a record that could not be read.
func (s *Session) readError(err error) error {
	err = fmt.Errorf("read credential %q: %w", s.cfg.Profile, err)
	if errors.Is(err, secrets.ErrUndecryptable) {
		return &UnreadableError{Profile: s.cfg.Profile, Err: err}
	}
	return err
}

// checkOwner returns an error unless the credential has this session's profile
// and server.
func (s *Session) checkOwner(c Credential) error {
	if c.Profile != s.cfg.Profile {
		return s.readError(fmt.Errorf("%w: it belongs to profile %q", secrets.ErrUndecryptable, c.Profile))
	}
	if s.cfg.Server != "" && c.Server != s.cfg.Server {
		return &ServerChangedError{Profile: s.cfg.Profile, Stored: c.Server, Given: s.cfg.Server}
	}
	return nil
}
