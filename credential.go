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

// Credential is what is stored of a login: what one profile knows of one MCP
// server. It is bound to profile, server, issuer, client and resource, and
// the endpoints in it are the ones that were seen at login: a refresh token is
// sent nowhere else.
type Credential struct {
	Version  int          `json:"version"`
	Profile  string       `json:"profile"`
	Server   string       `json:"server"`             // the MCP server's URL, as typed
	Resource string       `json:"resource,omitempty"` // RFC 8707, byte for byte as published; "": not sent
	Issuer   oauth.Server `json:"authorization_server"`
	App      oauth.App    `json:"client"`
	Flow     string       `json:"flow,omitempty"` // Name of the flow that got the token
	Asked    []string     `json:"scopes_asked,omitempty"`
	Login    LoginOptions `json:"login,omitzero"` // asked again in the same way at the next login
	Token    oauth.Token  `json:"token,omitzero"` // zero: an older version's note of a login that was not completed

	CreatedAt   time.Time `json:"created_at,omitzero"`
	LoggedInAt  time.Time `json:"logged_in_at,omitzero"`
	RefreshedAt time.Time `json:"refreshed_at,omitzero"`

	// RefreshBegunAt is set before a refresh token is sent and cleared when its
	// answer is stored. Found set, a refresh was cut off in between.
	RefreshBegunAt time.Time `json:"refresh_begun_at,omitzero"`
	// Refused says why the server no longer accepts the refresh token; "": it
	// does.
	Refused string `json:"refused,omitempty"`
	// RefusedAt is when a refresh was refused in a way that need not be the last
	// word. It is not tried again for refusalLifetime; zero: never.
	RefusedAt time.Time `json:"refused_at,omitzero"`
	// ClientRefused says that the server no longer knows the client: the next login
	// registers another.
	ClientRefused bool `json:"client_refused,omitempty"`

	unknown unknown // fields of a newer version, to be kept; nil: none
}

// String names the profile and hides every secret.
func (c Credential) String() string { return "mcplogin.Credential{" + c.Profile + "}" }

// GoString hides every secret under %#v too.
func (c Credential) GoString() string { return c.String() }

// LogValue hides every secret from log/slog.
func (c Credential) LogValue() slog.Value { return slog.StringValue(c.Profile) }

// Scopes returns what was granted: the server's own word, else what was asked
// (RFC 6749 §5.1).
func (c Credential) Scopes() []string {
	if c.Token.Scope != "" {
		return strings.Fields(c.Token.Scope)
	}
	return c.Asked
}

// Missing returns the asked scopes that were not granted.
func (c Credential) Missing() []string {
	granted := c.Scopes()
	return slices.DeleteFunc(slices.Clone(c.Asked), func(s string) bool { return slices.Contains(granted, s) })
}

// maxSkew is by how much the clocks of hosts that share a store may differ.
const maxSkew = 5 * time.Minute

// Valid reports whether the access token lives for ttl more. A token whose
// expiry the server did not say counts as valid until it is rejected. One that
// was given in the future is not valid: the clock was set back since then, and
// shows the time of the expiry when that is long over. Where nothing renews it,
// as on a host that it was handed over to, it is still the best there is.
func (c *Credential) Valid(ttl time.Duration) bool {
	switch {
	case c.Token.Access == "":
		return false
	case c.Token.Expiry.IsZero():
		return true
	}
	now := time.Now()
	return c.Token.Expiry.Sub(now) > ttl && (c.givenAt().Sub(now) < maxSkew || c.Refused != "")
}

// givenAt returns when the token was given, by the clock that its expiry was
// reckoned with. That may be before the login, if the clock was set back.
func (c *Credential) givenAt() time.Time {
	if c.RefreshedAt.IsZero() {
		return c.LoggedInAt
	}
	return c.RefreshedAt
}

// Lifetime is the time from the issue of the token to its expiry; 0 if it never
// expires.
func (c *Credential) Lifetime() time.Duration {
	return max(c.Token.Expiry.Sub(c.givenAt()), 0)
}

// Authorization is the value of the Authorization header for the stored token,
// or ErrBound.
func (c *Credential) Authorization() (string, error) {
	if c.Token.Type == "DPoP" {
		return "", fmt.Errorf("%s: %w", c.Profile, ErrBound)
	}
	return "Bearer " + c.Token.Access, nil
}

// handedOver is why a copy made by [Credential.HandOver] is not refreshed.
const handedOver = "this copy has no refresh token"

// HandOver returns a copy for another host that ends with its access token: it
// holds no refresh token and no secret of the client. Two hosts that refresh
// one rotating token have it revoked for both.
func (c Credential) HandOver() Credential {
	app := oauth.App{DPoPKey: c.App.DPoPKey}
	if c.App.Secret == "" && c.App.Key == nil { // public: its id is all of it
		app.ID, app.AuthMethod = c.App.ID, c.App.AuthMethod
		app.GrantTypes, app.RedirectURIs = c.App.GrantTypes, c.App.RedirectURIs
	}
	c.App, c.Token.Refresh, c.Refused = app, "", handedOver
	c.RefreshBegunAt = time.Time{}
	c.unknown = nil // a newer version may keep there what renews it
	return c
}

// WithoutInputs returns a copy that names nothing for a non-interactive flow to read
// or to ask for where it runs. It keeps the token.
func (c Credential) WithoutInputs() Credential {
	c.Login.Inputs = flows.Inputs{}
	c.unknown = c.unknown.without("login.inputs") // a newer version may know more sources
	return c
}

// HasInputs reports whether the credential names anything for a non-interactive flow
// to read or to ask for where it runs.
func (c Credential) HasInputs() bool {
	return c.Login.Inputs != (flows.Inputs{}) || len(c.unknown["login.inputs"]) > 0
}

// client returns the wire to the authorization server seen at login.
func (s *Session) client(c Credential) *oauth.Client {
	return &oauth.Client{HTTP: s.cfg.HTTP(c.Server), Server: c.Issuer, App: c.App}
}

// read returns the stored credential, checked to be this session's. A login
// that was not completed is no credential.
func (s *Session) read(ctx context.Context) (Credential, secrets.Version, error) {
	data, v, err := s.store.Get(ctx, s.cfg.Profile)
	if err != nil {
		return Credential{}, v, s.unread(err)
	}
	c, err := ParseCredential(data)
	if invalid, ok := errors.AsType[*RecordError](err); ok {
		invalid.Profile = s.cfg.Profile
	}
	if err != nil {
		return Credential{}, v, s.unread(err)
	}
	if c.Token.Access == "" && c.Token.Refresh == "" {
		return Credential{}, v, fmt.Errorf("read credential %q: %w: its sign-in was not completed", s.cfg.Profile, secrets.ErrNotFound)
	}
	return c, v, s.mine(c)
}

// unread is the error of a record that was not read.
func (s *Session) unread(err error) error {
	err = fmt.Errorf("read credential %q: %w", s.cfg.Profile, err)
	if errors.Is(err, secrets.ErrUndecryptable) {
		return &UnreadableError{Profile: s.cfg.Profile, Err: err}
	}
	return err
}

// mine returns nil for a credential of this session's profile and server.
func (s *Session) mine(c Credential) error {
	if c.Profile != s.cfg.Profile {
		return s.unread(fmt.Errorf("%w: it belongs to profile %q", secrets.ErrUndecryptable, c.Profile))
	}
	if s.cfg.Server != "" && c.Server != s.cfg.Server {
		return &ServerChangedError{Profile: s.cfg.Profile, Stored: c.Server, Given: s.cfg.Server}
	}
	return nil
}
