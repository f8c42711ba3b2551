package mcplogin

import (
	"github.com/mcp-login/mcp-login/flows"
	"github.com/mcp-login/mcp-login/internal/netcheck"
	"github.com/mcp-login/mcp-login/oauth"
)

// sameIssuer refuses a server that is not the one of the last login: another
// issuer, or another address of any endpoint. What a person gives now is no
// change by the server, and neither is an endpoint that is new.
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
		byHand := is.URL == given[i].URL && (is.URL != "" || s.req.Options.byHand())
		if was[i].URL != "" && was[i].URL != is.URL && !byHand {
			return changed(is.Name, was[i].URL, is.URL)
		}
	}
	return nil
}

// named refuses to send a secret to an authorization server that only the MCP
// server has named: anyone who runs that, or breaks into it, could collect the
// client secrets of everybody else's authorization servers. The same goes for
// one that only a stored record names, or whose endpoints only that names. On
// loopback both are programs of this machine.
func (s *login) named(c Credential, f flows.Flow, old Credential) error {
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

// isLocal reports whether a URL leads to a program of this machine.
func isLocal(raw string) bool {
	u, err := oauth.CheckURL(raw)
	return err == nil && netcheck.IsLoopback(u.Hostname())
}

// secret says what a login by a flow sends that others could use; "" if there
// is nothing. The id token that a CI makes for the issuer alone is no secret to
// that issuer; one for another audience is. Inputs of a stored record are not
// looked at: Trust.Permit decides about those.
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

// maxAudience caps an audience in texts.
const maxAudience = 100
