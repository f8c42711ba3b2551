package oauthtest

import (
	"crypto"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/mcp-login/mcp-login/oauth"
)

// client is a registration.
type client struct {
	oauth.ClientMetadata
	id, secret, handle string
	key                crypto.PublicKey
}

func (s *Server) serveRegister(w http.ResponseWriter, r *http.Request) {
	if want := s.Clients.InitialAccessToken; want != "" && r.Header.Get("Authorization") != "Bearer "+want {
		refuse(w, http.StatusUnauthorized, oauth.CodeInvalidToken, "an initial access token is required")
		return
	}
	c, ok := s.readClient(w, r)
	if !ok {
		return
	}
	c.id, c.handle = s.newClientID(), s.secret("handle")
	if c.TokenAuthMethod != oauth.AuthNone || s.Clients.SecretAnyway {
		c.secret = s.secret("secret")
	}
	put(&s.clients, c.id, c)
	s.writeClient(w, r, http.StatusCreated, c)
}

// readClient reads the client metadata of a registration. It writes the error
// response itself.
func (s *Server) readClient(w http.ResponseWriter, r *http.Request) (*client, bool) {
	c := &client{}
	if err := json.NewDecoder(r.Body).Decode(&c.ClientMetadata); err != nil {
		refuse(w, http.StatusBadRequest, oauth.CodeInvalidClientMetadata, "not JSON")
		return nil, false
	}
	if c.TokenAuthMethod == "" {
		c.TokenAuthMethod = oauth.AuthClientSecretBasic // RFC 7591 §2
	}
	if c.GrantTypes == nil {
		c.GrantTypes = []string{oauth.GrantAuthorizationCode}
	}
	if why := s.judge(c); why != "" {
		refuse(w, http.StatusBadRequest, oauth.CodeInvalidClientMetadata, why)
		return nil, false
	}
	if why := s.judgeRedirects(c); why != "" {
		refuse(w, http.StatusBadRequest, oauth.CodeInvalidRedirectURI, why)
		return nil, false
	}
	if s.Clients.ScopesRegistered && c.Scope == "" {
		c.Scope = s.scopes()[0]
	}
	return c, true
}

// writeClient writes a registration response (RFC 7591 §3.2.1).
func (s *Server) writeClient(w http.ResponseWriter, r *http.Request, status int, c *client) {
	doc := map[string]any{
		"client_id": c.id, "grant_types": c.GrantTypes, "redirect_uris": c.RedirectURIs,
		"token_endpoint_auth_method": c.TokenAuthMethod, "application_type": c.ApplicationType,
		"registration_client_uri":   s.issuer(r) + "/register/" + c.id,
		"registration_access_token": c.handle,
	}
	for name, value := range map[string]string{"scope": c.Scope, "client_name": c.ClientName, "client_uri": c.ClientURI} {
		if value != "" {
			doc[name] = value
		}
	}
	if s.Clients.NumericIDs {
		doc["client_id"] = json.Number(c.id)
	}
	if c.secret != "" {
		doc["client_secret"], doc["client_secret_expires_at"] = c.secret, 0
	}
	writeJSON(w, status, doc)
}

func (s *Server) newClientID() string {
	if s.Clients.NumericIDs {
		return strconv.Itoa(len(s.clients) + 1001)
	}
	return "client-" + rand.Text()
}

// suitableType returns the application type that fits the redirect URIs (OpenID
// Connect Registration §2).
func (c *client) suitableType() string {
	if slices.ContainsFunc(c.RedirectURIs, func(uri string) bool { return strings.HasPrefix(uri, "https:") }) {
		return "web"
	}
	return "native"
}

func (s *Server) judge(c *client) string {
	switch {
	case !slices.Contains(s.authMethods(), c.TokenAuthMethod):
		return "authentication method is not offered"
	case slices.Contains(c.GrantTypes, oauth.GrantAuthorizationCode) && len(c.RedirectURIs) == 0:
		return "authorization_code needs redirect_uris"
	case slices.ContainsFunc(c.GrantTypes, func(g string) bool { return !strings.HasPrefix(g, "urn:") && !slices.Contains(s.grantTypes(), g) }):
		return "grant type is not offered"
	case c.ApplicationType != c.suitableType() && !s.Clients.AnyType:
		return "application_type must be " + c.suitableType() + " here"
	case s.Clients.NoWeb && c.suitableType() == "web":
		return "redirect_uris must be on loopback"
	case s.Clients.RefuseScope && c.Scope != "":
		return "scope must hold scopes of this server alone"
	case !s.knowsScope(c.Scope):
		return "scope holds an unknown one"
	}
	return ""
}

func (s *Server) judgeRedirects(c *client) string {
	switch none := len(c.RedirectURIs) == 0; {
	case s.Clients.Redirects == "not empty" && none && c.RedirectURIs != nil, s.Clients.Redirects == "some" && none:
		return "redirect_uris must not be empty"
	case slices.ContainsFunc(c.RedirectURIs, func(raw string) bool { return !redirectAllowed(raw) }):
		return "only https and loopback are allowed"
	}
	return ""
}

func redirectAllowed(raw string) bool {
	_, err := oauth.CheckURL(raw)
	return err == nil
}

// serveManage reads, replaces or deletes a registration (RFC 7592 §2).
func (s *Server) serveManage(w http.ResponseWriter, r *http.Request) {
	c := s.clients[strings.TrimPrefix(r.URL.Path, "/register/")]
	switch {
	case c == nil, r.Header.Get("Authorization") != "Bearer "+c.handle:
		refuse(w, http.StatusUnauthorized, oauth.CodeInvalidToken, "")
	case r.Method == http.MethodGet:
		s.writeClient(w, r, http.StatusOK, c)
	case r.Method == http.MethodPut:
		if next, ok := s.readClient(w, r); ok {
			c.ClientMetadata = next.ClientMetadata
			s.writeClient(w, r, http.StatusOK, c)
		}
	case r.Method == http.MethodDelete:
		delete(s.clients, c.id)
		w.WriteHeader(http.StatusNoContent)
	default:
		refuse(w, http.StatusMethodNotAllowed, oauth.CodeInvalidRequest, "only GET, PUT and DELETE")
	}
}

// lookup returns a pre-registered or dynamically registered client; nil if
// unknown.
func (s *Server) lookup(id string) *client {
	if c := s.clients[id]; c != nil {
		return c
	}
	if key := s.Clients.Keys[id]; key != nil {
		return &client{id: id, key: key, ClientMetadata: oauth.ClientMetadata{TokenAuthMethod: oauth.AuthPrivateKeyJWT}}
	}
	secret, ok := s.Clients.Known[id]
	if !ok {
		return nil
	}
	return &client{id: id, secret: secret}
}

// authenticate returns the client that sent a form (RFC 6749 §2.3). It writes
// the error response itself.
func (s *Server) authenticate(w http.ResponseWriter, r *http.Request) *client {
	id, secret, method := credentials(r)
	c := s.lookup(id)
	free := s.Clients.AnyMethod || s.Clients.SecretAnyway
	switch {
	case c != nil && method == oauth.AuthPrivateKeyJWT && s.assertionHolds(r, c):
	case c == nil, c.secret != secret, method == oauth.AuthPrivateKeyJWT, !free && c.TokenAuthMethod != "" && c.TokenAuthMethod != method:
		w.Header().Set("WWW-Authenticate", `Basic realm="oauthtest"`)
		refuse(w, http.StatusUnauthorized, oauth.CodeInvalidClient, "unknown client, wrong secret or wrong method")
		return nil
	}
	return c
}

func credentials(r *http.Request) (id, secret, method string) {
	if id, secret, ok := r.BasicAuth(); ok {
		id, _ = url.QueryUnescape(id) // unreadable: unknown client
		secret, _ = url.QueryUnescape(secret)
		return id, secret, oauth.AuthClientSecretBasic
	}
	if r.PostForm.Has("client_assertion") {
		return r.PostForm.Get("client_id"), "", oauth.AuthPrivateKeyJWT
	}
	id, secret = r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
	if secret != "" {
		return id, secret, oauth.AuthClientSecretPost
	}
	return id, "", oauth.AuthNone
}

// mayRequest reports whether a client may request the scopes.
func (s *Server) mayRequest(c *client, scope string) bool {
	registered := strings.Fields(c.Scope)
	return s.knowsScope(scope) && (!s.Clients.ScopesRegistered || s.clients[c.id] == nil ||
		!slices.ContainsFunc(strings.Fields(scope), func(one string) bool { return !slices.Contains(registered, one) }))
}

// mayUseGrant reports whether a client may use a grant type; a pre-registered one may
// use all.
func (c *client) mayUseGrant(grantType string) bool {
	return c.GrantTypes == nil || slices.Contains(c.GrantTypes, grantType)
}
