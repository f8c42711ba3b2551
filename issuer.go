package mcplogin

import (
	"github.com/mcp-login/mcp-login/flows"
	"github.com/mcp-login/mcp-login/internal/netcheck"
	"github.com/mcp-login/mcp-login/oauth"
)

// sameIssuer rejects a server whose issuer or endpoint URLs differ from those
// of the last login. Endpoints that the user sets now are not a change by the
// server, and neither is an added endpoint.
func (s *login) sameIssuer(old Credential, now oauth.Server) error {
	if old.Server == "" || s.req.Register.AcceptNewIssuer {
		return nil
	}
	changed := func(what, was, is string) error {
		return &IssuerChangedError{Profile: s.cfg.Profile, What: what, Stored: was, Now: is}
	}
	if old.Issuer.Issuer != "" && old.Issuer.Issuer != now.Issuer {
		return changed("issuer", old.Issuer.Issuer, now.Issuer)
	}
	was, given := old.Issuer.Endpoints(), s.req.Options.Endpoints.override(oauth.Server{}).Endpoints()
	for i, is := range now.Endpoints() {
		byHand := is.URL == given[i].URL && (is.URL != "" || s.req.Options.skipsMetadata())
		if was[i].URL != "" && was[i].URL != is.URL && !byHand {
			return changed(is.Name, was[i].URL, is.URL)
		}
	}
	return nil
}

// checkNamedIssuer refuses to send a secret to an authorization server that only the MCP
// server named: otherwise the operator of a malicious MCP server could collect client
// secrets of other authorization servers. The same applies to an issuer or endpoints
// that only a stored record names. On loopback both are programs on this machine.
func (s *login) checkNamedIssuer(c Credential, f flows.Flow, old Credential) error {
	secret, issuer := s.secret(f, s.req.Options.Inputs), c.Issuer.Issuer
	if secret == "" {
		return nil
	}
	known := s.cfg.Trust.known(old)
	err := &UnnamedIssuerError{Profile: c.Profile, Server: c.Server, Issuer: issuer, Secret: secret}
	if !known && s.req.Options.IsZero() { // the options are the record's
		err.Endpoints = c.Login.Endpoints
	}
	switch {
	case err.Endpoints != Endpoints{}:
		return err
	case issuer == s.req.Register.Issuer, issuer == s.req.Options.Issuer, known && issuer == old.Issuer.Issuer:
		return nil
	case isLocal(issuer) && isLocal(c.Server):
		return nil
	}
	return err
}

// isLocal reports whether the URL's host is loopback.
func isLocal(raw string) bool {
	u, err := oauth.CheckURL(raw)
	return err == nil && netcheck.IsLoopback(u.Hostname())
}

// secret names the secret that a login by this flow would send; "" if none. An
// ID token that a CI system issues for the issuer alone is not a secret to that
// issuer; one for another audience is. Inputs of a stored record are not
// checked here: Trust.Permit decides about them.
func (s *login) secret(f flows.Flow, in flows.Inputs) string {
	_, nonInteractive := f.(flows.NonInteractive)
	switch r := s.req.Register; {
	case r.App.Secret != "":
		return "the client secret"
	case r.App.Key != nil:
		return "a JWT signed with the client key"
	case r.InitialAccessToken != "":
		return "the initial access token"
	case !nonInteractive:
		return ""
	case in.Assertion != "":
		return "the assertion"
	case in.SubjectToken != "":
		return "the subject token"
	case in.Audience != "":
		return "an ID token for " + oauth.Sanitize(in.Audience, maxAudience)
	}
	return ""
}

// maxAudience limits an audience in error texts, in characters.
const maxAudience = 100
