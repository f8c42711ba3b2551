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

// ask is what a client asked to be authorized for.
type ask struct{ client, scope, resource string }

// family is a login with every token that came of it.
type family struct{ revoked bool }

// grant is an access token.
type grant struct {
	ask
	family *family
	expiry time.Time
	jkt    string // thumbprint of the key that it is bound to; "": a bearer token
}

// refreshToken can be used once, unless tokens do not rotate.
type refreshToken struct {
	ask
	family *family
	used   bool
	jkt    string
}

// secret makes a secret and remembers it.
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

// readAsk reads what a form asks for. It writes the refusal itself.
func (s *Server) readAsk(w http.ResponseWriter, r *http.Request, c *client) (ask, bool) {
	form := r.PostForm
	switch {
	case !s.knowsResource(form):
		refuse(w, http.StatusBadRequest, oauth.CodeInvalidTarget, "resource is missing or unknown")
		return ask{}, false
	case !s.mayAsk(c, form.Get("scope")):
		refuse(w, http.StatusBadRequest, oauth.CodeInvalidScope, "unknown scope")
		return ask{}, false
	}
	return ask{client: c.id, scope: form.Get("scope"), resource: form.Get("resource")}, true
}

// knowsResource wants exactly one resource that is an /mcp (RFC 8707 §2).
// Which one is held against the token when it is used, byte for byte.
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

// sameResource wants the resource of a grant again. It writes the refusal
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
	if !c.may(kind) {
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

// rotate trades a refresh token (RFC 6749 §6). Use of an old one means that
// two hold it: the whole family ends (RFC 9700 §4.14.2).
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
		s.issue(w, r, oauth.GrantRefreshToken, t.ask, t.family)
	}
}

func (s *Server) grantClient(w http.ResponseWriter, r *http.Request, c *client) {
	if c.secret == "" && c.key == nil {
		refuse(w, http.StatusBadRequest, oauth.CodeUnauthorizedClient, "a public client cannot act for itself")
		return
	}
	if a, ok := s.readAsk(w, r, c); ok {
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
	if a, ok := s.readAsk(w, r, c); ok {
		s.issue(w, r, oauth.GrantJWTBearer, a, nil)
	}
}

// exchange answers as an identity provider (RFC 8693 §2.2.1): what it gives is
// not an access token.
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

// issue writes a token answer (RFC 6749 §5.1). A nil family begins a new one.
func (s *Server) issue(w http.ResponseWriter, r *http.Request, kind string, a ask, f *family) {
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
	put(&s.access, access, &grant{ask: a, family: f, expiry: time.Now().Round(0).Add(ttl), jkt: jkt}) // by the wall clock: the monotonic one stands still while a machine sleeps
	if s.givesRefresh(kind, a.client) {
		refresh := s.secret("rt")
		doc["refresh_token"] = refresh
		put(&s.refresh, refresh, &refreshToken{ask: a, family: f, jkt: jkt})
	}
	if s.Clients.Forgotten {
		delete(s.clients, a.client)
	}
	writeJSON(w, http.StatusOK, doc)
}

// Access is what an access token that is valid stands for.
type Access struct {
	Client   string // its name, or else its id
	Scope    string
	Resource string
	Expiry   time.Time
}

// Access returns what a token stands for. It is for a separate MCP server behind
// this authorization server.
func (s *Server) Access(token string) (Access, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.access[token]
	if g == nil || g.family.revoked || !time.Now().Before(g.expiry) {
		return Access{}, false
	}
	return Access{Client: s.request(g.ask, "").Client, Scope: g.scope, Resource: g.resource, Expiry: g.expiry}, true
}

// newAccess makes an access token.
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
	return c != nil && c.may(oauth.GrantRefreshToken)
}

// serveRevoke ends the family of a refresh token, or an access token alone.
// Unknown tokens are fine (RFC 7009 §2.2).
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
