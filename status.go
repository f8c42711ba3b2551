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

// Status is what may be told of a credential: no secret is in it. Its JSON is
// only added to.
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
	Reason      string     `json:"reason,omitempty"` // why a login is required
	Fingerprint string     `json:"token_fingerprint,omitempty"`
	Accepts     string     `json:"accepted_issuer,omitempty"`      // see LoginOptions.AcceptIssuer
	MissingIss  string     `json:"accepted_missing_iss,omitempty"` // see LoginOptions.AcceptMissingIss
}

// Status tells of a credential whose token should have minTTL left.
func (c Credential) Status(minTTL time.Duration) Status {
	s := Status{
		Profile: c.Profile, State: StateLogin, Server: c.Server, Resource: c.Resource, Issuer: c.Issuer.Issuer, ClientID: c.App.ID,
		Flow: c.Flow, Scopes: c.Scopes(), Expiry: known(c.Token.Expiry), LoggedIn: known(c.LoggedInAt), Refreshed: known(c.RefreshedAt),
		Refreshable: c.Token.Refresh != "" && !c.isRefused(), Reason: c.Refused, Fingerprint: fingerprint(c.Token.Access), Accepts: c.Login.AcceptIssuer.String(),
		MissingIss: c.Login.AcceptMissingIss,
	}
	// As Token judges, or a check would ask for a refresh each time. More than the
	// default is somebody's own wish, to be answered as it is.
	switch {
	case c.Valid(minTTL), minTTL <= DefaultMinTTL && c.freshFor(minTTL):
		s.State = StateValid
	case s.Refreshable:
		s.State = StateRefresh
	}
	return s
}

func known(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// fingerprint tells two tokens apart and gives neither away.
func fingerprint(token string) string {
	if token == "" {
		return ""
	}
	return fmt.Sprintf("sha256:%.6x", sha256.Sum256([]byte(token)))
}
