package oauthtest

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/mcp-login/mcp-login/oauth"
)

// authRequest is what a client requested.
type authRequest struct{ client, scope, resource string }

// family is a token family: all tokens of one login.
type family struct{ revoked bool }

// grant is an issued access token.
type grant struct {
	authRequest
	family *family
	expiry time.Time
	jkt    string // thumbprint of the key that it is bound to; "": a bearer token
}

// refreshToken can be used once, unless tokens do not rotate.
type refreshToken struct {
	authRequest
	family *family
	used   bool
	jkt    string
}

// secret generates a secret and records it for Issued.
func (s *Server) secret(kind string) string {
	v := kind + "-" + rand.Text()
	if kind == "at" || kind == "rt" {
		if s.Tokens.Prefix != "" {
			v = s.Tokens.Prefix + kind + "_" + rand.Text()
		}
		v += s.Tokens.Suffix
	}
	s.issued = append(s.issued, v)
	return v
}

// readRequest reads scope and resource of a form. It writes the error response
// itself.
func (s *Server) readRequest(w http.ResponseWriter, r *http.Request, c *client) (authRequest, bool) {
	form := r.PostForm
	switch {
	case !s.knowsResource(form):
		refuse(w, http.StatusBadRequest, oauth.CodeInvalidTarget, "resource is missing or unknown")
		return authRequest{}, false
	case !s.mayRequest(c, form.Get("scope")):
		refuse(w, http.StatusBadRequest, oauth.CodeInvalidScope, "unknown scope")
		return authRequest{}, false
	}
	return authRequest{client: c.id, scope: form.Get("scope"), resource: form.Get("resource")}, true
}

// knowsResource requires exactly one resource that ends in /mcp (RFC 8707 §2).
// Which one is checked when the token is used, byte for byte.
func (s *Server) knowsResource(form url.Values) bool {
	list := form["resource"]
	if len(list) == 0 {
		return s.Tokens.AnyResource
	}
	return len(list) == 1 && strings.HasSuffix(list[0], "/mcp")
}

func (s *Server) knowsScope(scope string) bool {
	for _, v := range strings.Fields(scope) {
		if !slices.Contains(s.scopes(), v) {
			return false
		}
	}
	return true
}

// sameResource requires the resource of the grant. It writes the error response
// itself.
func (s *Server) sameResource(w http.ResponseWriter, r *http.Request, resource string) bool {
	if r.PostForm.Get("resource") == resource {
		return true
	}
	refuse(w, http.StatusBadRequest, oauth.CodeInvalidTarget, "not the resource that was authorized")
	return false
}

func (s *Server) serveToken(w http.ResponseWriter, r *http.Request) {
	c := s.authenticate(w, r)
	if c == nil {
		return
	}
	if !s.proofHolds(w, r) {
		return
	}
	kind := r.PostForm.Get("grant_type")
	if !c.mayUseGrant(kind) {
		refuse(w, http.StatusBadRequest, oauth.CodeUnauthorizedClient, "the client may not use this grant")
		return
	}
	switch kind {
	case oauth.GrantDeviceCode:
		s.pollDevice(w, r, c)
	case oauth.GrantAuthorizationCode:
		s.redeem(w, r, c)
	case oauth.GrantRefreshToken:
		s.rotate(w, r, c)
	case oauth.GrantClientCredentials:
		s.grantClient(w, r, c)
	case oauth.GrantJWTBearer:
		s.grantAssertion(w, r, c)
	case oauth.GrantTokenExchange:
		s.exchange(w, r)
	default:
		refuse(w, http.StatusBadRequest, oauth.CodeUnsupportedGrantType, "")
	}
}

// rotate handles a refresh (RFC 6749 §6). Reuse of an old refresh token revokes
// the whole family (RFC 9700 §4.14.2).
func (s *Server) rotate(w http.ResponseWriter, r *http.Request, c *client) {
	t := s.refresh[r.PostForm.Get("refresh_token")]
	switch {
	case t == nil || t.client != c.id || t.family.revoked:
		refuse(w, http.StatusBadRequest, oauth.CodeInvalidGrant, "unknown refresh token")
	case t.jkt != "" && t.jkt != thumbprintOf(r):
		refuse(w, http.StatusBadRequest, oauth.CodeInvalidGrant, "the refresh token is bound to another key")
	case t.used:
		t.family.revoked = true
		refuse(w, http.StatusBadRequest, oauth.CodeInvalidGrant, "the refresh token was used before")
	case s.sameResource(w, r, t.resource):
		t.used = !s.Tokens.NoRotation
		s.issue(w, r, oauth.GrantRefreshToken, t.authRequest, t.family)
	}
}

func (s *Server) grantClient(w http.ResponseWriter, r *http.Request, c *client) {
	if c.secret == "" && c.key == nil {
		refuse(w, http.StatusBadRequest, oauth.CodeUnauthorizedClient, "a public client cannot act for itself")
		return
	}
	if a, ok := s.readRequest(w, r, c); ok {
		s.issue(w, r, oauth.GrantClientCredentials, a, nil)
	}
}

func (s *Server) grantAssertion(w http.ResponseWriter, r *http.Request, c *client) {
	if s.Trust.Assertion == nil {
		refuse(w, http.StatusBadRequest, oauth.CodeUnsupportedGrantType, "")
		return
	}
	if err := s.Trust.Assertion(r.PostForm.Get("assertion")); err != nil {
		refuse(w, http.StatusBadRequest, oauth.CodeInvalidGrant, err.Error())
		return
	}
	if a, ok := s.readRequest(w, r, c); ok {
		s.issue(w, r, oauth.GrantJWTBearer, a, nil)
	}
}

// exchange responds as an identity provider (RFC 8693 §2.2.1): the issued token
// is not an access token.
func (s *Server) exchange(w http.ResponseWriter, r *http.Request) {
	if s.Trust.Exchange == nil {
		refuse(w, http.StatusBadRequest, oauth.CodeUnsupportedGrantType, "")
		return
	}
	token, err := s.Trust.Exchange(r.PostForm)
	if err != nil {
		refuse(w, http.StatusBadRequest, oauth.CodeInvalidGrant, err.Error())
		return
	}
	s.issued = append(s.issued, token)
	put(&s.grants, oauth.GrantTokenExchange, s.grants[oauth.GrantTokenExchange]+1)
	writeJSON(w, http.StatusOK, map[string]any{
		"access_token": token, "issued_token_type": r.PostForm.Get("requested_token_type"), "token_type": "N_A",
	})
}

// issue writes a token response (RFC 6749 §5.1). A nil family starts a new one.
func (s *Server) issue(w http.ResponseWriter, r *http.Request, kind string, a authRequest, f *family) {
	if f == nil {
		f = &family{}
	}
	put(&s.grants, kind, s.grants[kind]+1)
	if a.scope == "" {
		a.scope = strings.Join(s.scopes(), " ")
	}
	ttl, said := orDefault(s.Tokens.TTL, time.Hour), s.Tokens.TTL >= 0
	if !said {
		ttl = time.Hour
	}
	access := s.newAccess(time.Now().Add(ttl))
	doc := map[string]any{"access_token": access, "token_type": "Bearer", "scope": a.scope}
	if said {
		doc["expires_in"] = int(ttl.Seconds())
	}
	jkt := thumbprintOf(r)
	if jkt != "" {
		doc["token_type"] = "DPoP"
	}
	put(&s.access, access, &grant{authRequest: a, family: f, expiry: time.Now().Round(0).Add(ttl), jkt: jkt}) // wall clock, because the monotonic clock stops while a machine is suspended
	if s.givesRefresh(kind, a.client) {
		refresh := s.secret("rt")
		doc["refresh_token"] = refresh
		put(&s.refresh, refresh, &refreshToken{authRequest: a, family: f, jkt: jkt})
	}
	if s.Clients.Forgotten {
		delete(s.clients, a.client)
	}
	writeJSON(w, http.StatusOK, doc)
}

// Access describes a valid access token.
type Access struct {
	Client   string // its name, or else its id
	Scope    string
	Resource string
	Expiry   time.Time
}

// Access returns the description of a valid token, for a separate MCP server
// that uses this authorization server.
func (s *Server) Access(token string) (Access, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.access[token]
	if g == nil || g.family.revoked || !time.Now().Before(g.expiry) {
		return Access{}, false
	}
	return Access{Client: s.request(g.authRequest, "").Client, Scope: g.scope, Resource: g.resource, Expiry: g.expiry}, true
}

// newAccess generates an access token.
func (s *Server) newAccess(expiry time.Time) string {
	access := s.secret("at")
	if s.Tokens.JWT {
		access = fmt.Sprintf("e30.%s.%s", b64([]byte(fmt.Sprintf(`{"exp":%d}`, expiry.Unix()))), access)
		s.issued = append(s.issued, access)
	}
	return access
}

func (s *Server) givesRefresh(kind, client string) bool {
	switch {
	case s.Tokens.NoRefresh, kind == oauth.GrantClientCredentials, kind == oauth.GrantJWTBearer,
		kind == oauth.GrantRefreshToken && s.Tokens.NoRotation:
		return false
	}
	c := s.lookup(client)
	return c != nil && c.mayUseGrant(oauth.GrantRefreshToken)
}

// serveRevoke revokes the family of a refresh token, or an access token alone.
// Unknown tokens are not an error (RFC 7009 §2.2).
func (s *Server) serveRevoke(w http.ResponseWriter, r *http.Request) {
	c := s.authenticate(w, r)
	if c == nil {
		return
	}
	token := r.PostForm.Get("token")
	if t := s.refresh[token]; t != nil && t.client == c.id {
		t.family.revoked = true
	}
	if t := s.access[token]; t != nil && t.client == c.id {
		delete(s.access, token)
	}
	w.WriteHeader(http.StatusOK)
}
