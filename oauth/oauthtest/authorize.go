package oauthtest

import (
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/mcp-login/mcp-login/internal/netcheck"
	"github.com/mcp-login/mcp-login/oauth"
)

const codeLifetime = 10 * time.Minute

// code is an authorization code. It can be used once.
type code struct {
	authRequest
	redirect  string
	challenge string
	expiry    time.Time
	family    *family // set when used: the tokens issued for it
}

// serveAuthorize serves the authorization endpoint (RFC 6749 §4.1.1, RFC 7636,
// RFC 9207). Without Consent.Ask it approves immediately.
func (s *Server) serveAuthorize(w http.ResponseWriter, r *http.Request) {
	q := r.Form
	c := s.lookup(q.Get("client_id"))
	if c == nil || !c.redirectsTo(q.Get("redirect_uri")) {
		// Never redirect to an unregistered URI.
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
	problem := s.judgeAuthorize(q, c)
	p := &pending{back: back, answer: answer, code: s.newCode(q, c)}
	if problem == "" && s.Consent.Ask != nil {
		asked := s.request(p.code.authRequest, "")
		asked.ID, asked.Redirect = rand.Text(), back.Scheme+"://"+back.Host
		put(&s.pending, asked.ID, p)
		s.Consent.Ask(w, r, asked)
		return
	}
	s.redirect(w, r, p, problem)
}

// pending is an authorization that waits for the user.
type pending struct {
	back   *url.URL
	answer url.Values
	code   *code
}

// redirect sends the authorization response, by a redirect.
func (s *Server) redirect(w http.ResponseWriter, r *http.Request, p *pending, problem string) {
	if problem != "" {
		p.answer.Set("error", problem)
	} else {
		id := s.secret("code")
		put(&s.codes, id, p.code)
		p.answer.Set("code", id)
	}
	p.back.RawQuery = p.answer.Encode()
	http.Redirect(w, r, p.back.String(), http.StatusFound)
}

// Request is an authorization request for the user to approve.
type Request struct {
	ID       string // for Answer; "": a device flow, identified by its user code
	UserCode string
	Client   string // its name, or else its ID
	URI      string // of the client
	Scope    string
	Resource string
	Redirect string // the origin of the redirect URI; "": a device flow
}

func (s *Server) request(a authRequest, userCode string) Request {
	r := Request{UserCode: userCode, Client: a.client, Scope: a.scope, Resource: a.resource}
	if c := s.lookup(a.client); c != nil {
		r.Client, r.URI = cmp.Or(c.ClientName, a.client), c.ClientURI
	}
	if r.Scope == "" {
		r.Scope = strings.Join(s.scopes(), " ")
	}
	return r
}

// Answer approves or denies a Request that Consent.Ask showed, and redirects.
// It returns false if the request is not pending: it can be answered only once.
func (s *Server) Answer(w http.ResponseWriter, r *http.Request, id string, approve bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.pending[id]
	delete(s.pending, id)
	switch {
	case p == nil || !time.Now().Before(p.code.expiry):
		return false
	case approve:
		s.redirect(w, r, p, "")
	default:
		s.redirect(w, r, p, oauth.CodeAccessDenied)
	}
	return true
}

func (s *Server) judgeAuthorize(q url.Values, c *client) string {
	switch {
	case s.Consent.Deny:
		return oauth.CodeAccessDenied
	case !c.mayUseGrant(oauth.GrantAuthorizationCode):
		return oauth.CodeUnauthorizedClient
	case q.Get("response_type") != "code":
		return "unsupported_response_type"
	case q.Get("code_challenge") == "", q.Get("code_challenge_method") != "S256":
		return oauth.CodeInvalidRequest
	case !s.knowsResource(q):
		return oauth.CodeInvalidTarget
	case !s.mayRequest(c, q.Get("scope")):
		return oauth.CodeInvalidScope
	}
	return ""
}

func (s *Server) newCode(q url.Values, c *client) *code {
	return &code{
		authRequest: authRequest{client: c.id, scope: q.Get("scope"), resource: q.Get("resource")},
		redirect:    q.Get("redirect_uri"),
		challenge:   q.Get("code_challenge"),
		expiry:      time.Now().Add(codeLifetime),
	}
}

// redirectsTo reports whether the redirect URI is registered. It compares
// strings, except for the port of a loopback address (RFC 8252 §7.3). A
// pre-registered client may use any loopback address.
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
	if err1 != nil || err2 != nil || net.ParseIP(a.Hostname()) == nil || !netcheck.IsRedirectHost(a.Hostname()) {
		return false
	}
	a.Host, b.Host = a.Hostname(), b.Hostname()
	return a.String() == b.String()
}

// redeem exchanges a code for a token (RFC 6749 §4.1.3, RFC 7636 §4.6). A
// second use revokes the tokens of the first (RFC 6749 §4.1.2).
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
		s.issue(w, r, oauth.GrantAuthorizationCode, k.authRequest, k.family)
	}
}
