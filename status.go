package mcplogin

import (
	"crypto/sha256"
	"fmt"
	"time"
)

// The states of a credential in a [Status].
const (
	StateValid   = "valid"
	StateRefresh = "refresh due"
	StateLogin   = "login required"
)

// Status describes a credential without its secrets. Its JSON form changes only
// by additional fields.
type Status struct {
	Profile     string     `json:"profile"`
	State       string     `json:"state,omitempty"`
	Server      string     `json:"server,omitempty"`
	Resource    string     `json:"resource,omitempty"`
	Issuer      string     `json:"issuer,omitempty"`
	ClientID    string     `json:"client_id,omitempty"`
	Flow        string     `json:"flow,omitempty"`
	Scopes      []string   `json:"scopes,omitempty"`
	Expiry      *time.Time `json:"expires_at,omitempty"`
	LoggedIn    *time.Time `json:"logged_in_at,omitempty"`
	Refreshed   *time.Time `json:"refreshed_at,omitempty"`
	Refreshable bool       `json:"refreshable"`
	Reason      string     `json:"reason,omitempty"` // why a sign-in is required
	Fingerprint string     `json:"token_fingerprint,omitempty"`
	Accepts     string     `json:"accepted_issuer,omitempty"`      // see LoginOptions.AcceptIssuer
	MissingIss  string     `json:"accepted_missing_iss,omitempty"` // see LoginOptions.AcceptMissingIss
}

// Status returns the status of a credential whose token should be valid for
// minTTL, as far as the credential says it. Session.Status also knows the flows
// that can renew it.
func (c Credential) Status(minTTL time.Duration) Status {
	s := Status{
		Profile: c.Profile, State: StateLogin, Server: c.Server, Resource: c.Resource, Issuer: c.Issuer.Issuer, ClientID: c.App.ID,
		Flow: c.Flow, Scopes: c.Scopes(), Expiry: timeOrNil(c.Token.Expiry), LoggedIn: timeOrNil(c.LoggedInAt), Refreshed: timeOrNil(c.RefreshedAt),
		Refreshable: c.Token.Refresh != "" && !c.isRefused(), Reason: c.Refused, Fingerprint: fingerprint(c.Token.Access), Accepts: c.Login.AcceptIssuer.String(),
		MissingIss: c.Login.AcceptMissingIss,
	}
	// Up to the default, use the same rule as Token: otherwise short-lived tokens
	// would always be due. A longer minTTL is an explicit request and applies as
	// it is.
	switch {
	case c.Valid(minTTL), minTTL <= DefaultMinTTL && c.freshFor(minTTL):
		s.State = StateValid
	case s.Refreshable:
		s.State = StateRefresh
	}
	return s
}

// Status is Credential.Status for this session, which may renew the credential by one
// of Renewal.Flows.
func (s *Session) Status(c Credential, minTTL time.Duration) Status {
	status := c.Status(minTTL)
	if status.Refreshable = s.Renews(c); status.Refreshable && status.State == StateLogin {
		status.State = StateRefresh
	}
	return status
}

// Renews reports whether this session can renew a credential without the user: by its
// refresh token, or by one of Renewal.Flows.
func (s *Session) Renews(c Credential) bool { return !c.isRefused() && s.renewable(c) == nil }

func timeOrNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// fingerprint distinguishes tokens without revealing them.
func fingerprint(token string) string {
	if token == "" {
		return ""
	}
	return fmt.Sprintf("sha256:%.6x", sha256.Sum256([]byte(token)))
}
