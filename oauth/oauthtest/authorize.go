package oauthtest

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/mcp-login/mcp-login/oauth"
)

const codeLife = time.Minute

// code is an authorization code. It can be used once.
type code struct {
	ask
	redirect  string
	challenge string
	expiry    time.Time
	family    *family // once used: what it led to
}

// serveAuthorize approves at once (RFC 6749 §4.1.1, RFC 7636, RFC 9207).
func (s *Server) serveAuthorize(w http.ResponseWriter, r *http.Request) {
	q := r.Form
	c := s.lookup(q.Get("client_id"))
	if c == nil || !c.redirectsTo(q.Get("redirect_uri")) {
		// Never redirect to where nobody vouches for.
		http.Error(w, "unknown client or redirect_uri", http.StatusBadRequest)
		return
	}
	back, err := url.Parse(q.Get("redirect_uri"))
	if err != nil {
		http.Error(w, "bad redirect_uri", http.StatusBadRequest)
		return
	}
	answer := back.Query()
	if state := q.Get("state"); state != "" {
		answer.Set("state", state)
	}
	if !s.Consent.NoIss || s.Consent.Iss != "" {
		answer.Set("iss", s.issuer(r))
	}
	if s.Consent.Iss != "" {
		answer.Set("iss", s.Consent.Iss)
	}
	if problem := s.judgeAuthorize(q, c); problem != "" {
		answer.Set("error", problem)
	} else {
		answer.Set("code", s.newCode(q, c))
	}
	back.RawQuery = answer.Encode()
	http.Redirect(w, r, back.String(), http.StatusFound)
}

func (s *Server) judgeAuthorize(q url.Values, c *client) string {
	switch {
	case s.Consent.Deny:
		return oauth.CodeAccessDenied
	case !c.may(oauth.GrantAuthorizationCode):
		return oauth.CodeUnauthorizedClient
	case q.Get("response_type") != "code", q.Get("code_challenge") == "", q.Get("code_challenge_method") != "S256":
		return oauth.CodeInvalidRequest
	case !s.knowsResource(q):
		return oauth.CodeInvalidTarget
	case !s.mayAsk(c, q.Get("scope")):
		return oauth.CodeInvalidScope
	}
	return ""
}

func (s *Server) newCode(q url.Values, c *client) string {
	id := s.secret("code")
	put(&s.codes, id, &code{
		ask:       ask{client: c.id, scope: q.Get("scope"), resource: q.Get("resource")},
		redirect:  q.Get("redirect_uri"),
		challenge: q.Get("code_challenge"),
		expiry:    time.Now().Add(codeLife),
	})
	return id
}

// redirectsTo compares as strings, but for the port of a loopback address (RFC
// 8252 §7.3). A client registered by hand may name any loopback address.
func (c *client) redirectsTo(raw string) bool {
	if c.RedirectURIs == nil {
		u, err := oauth.CheckURL(raw)
		return err == nil && u.Scheme == "http"
	}
	if slices.Contains(c.RedirectURIs, raw) {
		return true
	}
	return slices.ContainsFunc(c.RedirectURIs, func(known string) bool { return samePortless(known, raw) })
}

func samePortless(known, raw string) bool {
	a, err1 := url.Parse(known)
	b, err2 := url.Parse(raw)
	if err1 != nil || err2 != nil || a.Hostname() != "127.0.0.1" && a.Hostname() != "::1" {
		return false
	}
	return a.Scheme == b.Scheme && a.Hostname() == b.Hostname() && a.RequestURI() == b.RequestURI()
}

// redeem trades a code (RFC 6749 §4.1.3, RFC 7636 §4.6). A second use revokes
// what the first led to (RFC 6749 §4.1.2).
func (s *Server) redeem(w http.ResponseWriter, r *http.Request, c *client) {
	form := r.PostForm
	k := s.codes[form.Get("code")]
	sum := sha256.Sum256([]byte(form.Get("code_verifier")))
	switch {
	case k == nil || k.client != c.id:
		refuse(w, http.StatusBadRequest, oauth.CodeInvalidGrant, "unknown code")
	case k.family != nil:
		k.family.revoked = true
		refuse(w, http.StatusBadRequest, oauth.CodeInvalidGrant, "the code was used before")
	case !time.Now().Before(k.expiry):
		refuse(w, http.StatusBadRequest, oauth.CodeInvalidGrant, "the code has expired")
	case form.Get("redirect_uri") != k.redirect:
		refuse(w, http.StatusBadRequest, oauth.CodeInvalidGrant, "another redirect_uri")
	case base64.RawURLEncoding.EncodeToString(sum[:]) != k.challenge:
		refuse(w, http.StatusBadRequest, oauth.CodeInvalidGrant, "the verifier does not match")
	case s.sameResource(w, r, k.resource):
		k.family = &family{}
		s.issue(w, r, oauth.GrantAuthorizationCode, k.ask, k.family)
	}
}
