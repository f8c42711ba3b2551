package demoserver

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// client is one registration. The JSON names are those of RFC 7591 §2 and
// §3.2.1.
type client struct {
	ID                string   `json:"client_id"`
	Secret            string   `json:"client_secret,omitempty"`
	SecretExpiresAt   *int64   `json:"client_secret_expires_at,omitempty"` // required beside a secret; 0: never
	Name              string   `json:"client_name,omitempty"`
	URI               string   `json:"client_uri,omitempty"`
	ApplicationType   string   `json:"application_type,omitempty"`
	RedirectURIs      []string `json:"redirect_uris,omitempty"`
	GrantTypes        []string `json:"grant_types"`
	ResponseTypes     []string `json:"response_types,omitempty"`
	Scope             string   `json:"scope,omitempty"`
	AuthMethod        string   `json:"token_endpoint_auth_method"`
	RegistrationURI   string   `json:"registration_client_uri"`
	RegistrationToken string   `json:"registration_access_token"`
}

// display is the name shown to a person.
func (c *client) display() string {
	if c.Name == "" {
		return c.ID
	}
	return c.Name
}

// serveRegister answers RFC 7591 §3.
func (s *Server) serveRegister(w http.ResponseWriter, r *http.Request) {
	c, fault := readClient(r)
	if fault != nil {
		writeError(w, fault)
		return
	}
	c.ID = "demo-" + strings.ToLower(rand.Text()[:12])
	c.RegistrationURI = s.cfg.URL + "/register/" + c.ID
	c.RegistrationToken = rand.Text()
	c.giveSecret("")

	s.mu.Lock()
	defer s.mu.Unlock()
	s.clients[c.ID] = c
	writeJSON(w, http.StatusCreated, c)
}

// serveRegistration reads, replaces or deletes a registration (RFC 7592 §2).
func (s *Server) serveRegistration(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.clients[r.PathValue("id")]
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if c == nil || !equal(token, c.RegistrationToken) {
		w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
		writeError(w, &oauthError{Code: "invalid_token", status: http.StatusUnauthorized})
		return
	}
	switch r.Method {
	case http.MethodGet:
		writeJSON(w, http.StatusOK, c)
	case http.MethodPut:
		next, fault := readClient(r)
		if fault != nil {
			writeError(w, fault)
			return
		}
		next.ID, next.RegistrationURI, next.RegistrationToken = c.ID, c.RegistrationURI, c.RegistrationToken
		next.giveSecret(c.Secret)
		*c = *next
		writeJSON(w, http.StatusOK, c)
	case http.MethodDelete:
		s.endClient(c)
		w.WriteHeader(http.StatusNoContent)
	default:
		w.Header().Set("Allow", "GET, PUT, DELETE")
		w.WriteHeader(http.StatusMethodNotAllowed)
	}
}

// readClient reads and checks the metadata of a registration request and
// fills in the defaults of RFC 7591 §2.
func readClient(r *http.Request) (*client, *oauthError) {
	var c client
	if err := json.NewDecoder(r.Body).Decode(&c); err != nil {
		return nil, &oauthError{Code: "invalid_client_metadata", Description: "the body is not a JSON object"}
	}
	c.Secret, c.SecretExpiresAt = "", nil
	if c.GrantTypes == nil {
		c.GrantTypes = []string{grantCode}
	}
	if c.AuthMethod == "" {
		c.AuthMethod = methodBasic
	}
	if slices.Contains(c.GrantTypes, grantCode) && c.ResponseTypes == nil {
		c.ResponseTypes = []string{"code"}
	}
	return &c, c.check()
}

func (c *client) check() *oauthError {
	for _, g := range c.GrantTypes {
		if !slices.Contains([]string{grantCode, grantDevice, grantRefresh}, g) {
			return &oauthError{Code: "invalid_client_metadata", Description: "grant type " + g + " is not offered"}
		}
	}
	if !slices.Contains([]string{methodNone, methodPost, methodBasic}, c.AuthMethod) {
		return &oauthError{Code: "invalid_client_metadata", Description: "authentication method " + c.AuthMethod + " is not offered"}
	}
	if slices.Contains(c.GrantTypes, grantCode) && len(c.RedirectURIs) == 0 {
		return &oauthError{Code: "invalid_redirect_uri", Description: "authorization_code needs a redirect URI"}
	}
	for _, raw := range c.RedirectURIs {
		u, err := url.Parse(raw)
		if err != nil || u.Fragment != "" || u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())) {
			return &oauthError{Code: "invalid_redirect_uri", Description: "redirect URIs are https, or http on a loopback address"}
		}
	}
	return nil
}

// giveSecret keeps or makes the secret of a confidential client.
func (c *client) giveSecret(old string) {
	if c.AuthMethod == methodNone {
		return
	}
	c.Secret = old
	if c.Secret == "" {
		c.Secret = rand.Text()
	}
	c.SecretExpiresAt = new(int64)
}

// allowsRedirect compares exactly, but for the port of a loopback address,
// which a native client chooses each time (RFC 8252 §7.3).
func (c *client) allowsRedirect(uri string) bool {
	return slices.ContainsFunc(c.RedirectURIs, func(known string) bool {
		return known == uri || anyPort(known) == anyPort(uri)
	})
}

// anyPort drops the port of a loopback URI; other URIs it returns unchanged.
func anyPort(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "http" || !loopback(u.Hostname()) {
		return raw
	}
	u.Host = u.Hostname()
	return u.String()
}

func loopback(host string) bool {
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}

// authenticate finds the client of a token, device or revocation request and
// checks its secret by the method it registered (RFC 6749 §2.3). The caller
// holds the lock.
func (s *Server) authenticate(r *http.Request) (*client, *oauthError) {
	id, secret, method := r.PostFormValue("client_id"), r.PostFormValue("client_secret"), methodNone
	if user, password, ok := r.BasicAuth(); ok {
		// RFC 6749 §2.3.1: both are form-encoded before they are joined.
		u, err1 := url.QueryUnescape(user)
		p, err2 := url.QueryUnescape(password)
		if err1 != nil || err2 != nil || id != "" && id != u {
			return nil, &oauthError{Code: "invalid_request", Description: "the client is named in two ways"}
		}
		id, secret, method = u, p, methodBasic
	} else if secret != "" {
		method = methodPost
	}
	c := s.clients[id]
	if c == nil || c.AuthMethod != method || !equal(c.Secret, secret) {
		return nil, &oauthError{Code: "invalid_client", Description: "unknown client or wrong authentication", status: http.StatusUnauthorized}
	}
	return c, nil
}

// endClient forgets a client with all that was granted to it. The caller
// holds the lock.
func (s *Server) endClient(c *client) {
	delete(s.clients, c.ID)
	maps.DeleteFunc(s.refresh, func(_ string, g *grant) bool { return g.client == c })
	maps.DeleteFunc(s.access, func(_ string, t accessToken) bool { return t.grant.client == c })
}

// equal compares secrets in constant time.
func equal(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
