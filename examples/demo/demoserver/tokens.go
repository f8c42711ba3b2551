package demoserver

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// grant is what a person approved: a family of refresh tokens, of which only
// the newest is good, and of access tokens.
type grant struct {
	client  *client
	scope   string
	refresh string // the newest
	revoked bool
}

type accessToken struct {
	grant  *grant
	expiry time.Time
}

// authorization is one run of the authorization code flow: first a consent
// form, then a code.
type authorization struct {
	client    *client
	redirect  string
	state     string
	scope     string
	challenge string // RFC 7636 §4.2, S256
	expiry    time.Time
	grant     *grant // set when the code was used
}

// serveToken answers RFC 6749 §3.2.
func (s *Server) serveToken(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g, fault := s.exchange(r)
	if fault != nil {
		writeError(w, fault)
		return
	}
	writeJSON(w, http.StatusOK, s.issue(g))
}

// exchange checks a token request and returns the grant it stands for.
func (s *Server) exchange(r *http.Request) (*grant, *oauthError) {
	c, fault := s.authenticate(r)
	if fault != nil {
		return nil, fault
	}
	kind := r.PostFormValue("grant_type")
	redeem := map[string]func(*client, *http.Request) (*grant, *oauthError){
		grantDevice:  s.redeemDevice,
		grantCode:    s.redeemCode,
		grantRefresh: s.redeemRefresh,
	}[kind]
	switch {
	case redeem == nil:
		return nil, &oauthError{Code: "unsupported_grant_type"}
	case !slices.Contains(c.GrantTypes, kind):
		return nil, &oauthError{Code: "unauthorized_client", Description: "the client did not register grant type " + kind}
	}
	if fault := s.checkResource(r.PostForm["resource"]); fault != nil {
		return nil, fault
	}
	return redeem(c, r)
}

// checkResource demands the MCP server's identifier, byte for byte. MCP
// clients must send it on every authorization and token request (RFC 8707 §2).
func (s *Server) checkResource(resources []string) *oauthError {
	if len(resources) != 1 || resources[0] != s.MCP() {
		return &oauthError{Code: "invalid_target", Description: "resource must be " + s.MCP()}
	}
	return nil
}

// checkScope returns the scope granted for the scope asked; "" asks for all.
func checkScope(asked string) (string, *oauthError) {
	for _, scope := range strings.Fields(asked) {
		if scope != scopeTools {
			return "", &oauthError{Code: "invalid_scope", Description: "the only scope is " + scopeTools}
		}
	}
	return scopeTools, nil
}

// redeemCode is RFC 6749 §4.1.3 with RFC 7636 §4.6.
func (s *Server) redeemCode(c *client, r *http.Request) (*grant, *oauthError) {
	a := s.codes[r.PostFormValue("code")]
	if a == nil || a.client != c || time.Now().After(a.expiry) {
		return nil, &oauthError{Code: "invalid_grant", Description: "the code is unknown or has expired"}
	}
	if a.grant != nil {
		// RFC 6749 §4.1.2: a code that comes twice was stolen by somebody.
		a.grant.revoked = true
		return nil, &oauthError{Code: "invalid_grant", Description: "the code was used before"}
	}
	sum := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	if a.redirect != r.PostFormValue("redirect_uri") || !equal(a.challenge, base64.RawURLEncoding.EncodeToString(sum[:])) {
		return nil, &oauthError{Code: "invalid_grant", Description: "redirect_uri or code_verifier does not match"}
	}
	a.grant = &grant{client: c, scope: a.scope}
	return a.grant, nil
}

// redeemRefresh is RFC 6749 §6. A refresh token that was rotated away is
// known to two holders, so the family ends (RFC 9700 §4.14.2).
func (s *Server) redeemRefresh(c *client, r *http.Request) (*grant, *oauthError) {
	token := r.PostFormValue("refresh_token")
	g := s.refresh[token]
	switch {
	case g == nil || g.client != c || g.revoked:
		return nil, &oauthError{Code: "invalid_grant", Description: "the refresh token is unknown or was revoked"}
	case g.refresh != token:
		g.revoked = true
		return nil, &oauthError{Code: "invalid_grant", Description: "the refresh token was used before: all tokens of this login are revoked"}
	}
	return g, nil
}

// issue makes the next tokens of a grant (RFC 6749 §5.1).
func (s *Server) issue(g *grant) map[string]any {
	now := time.Now().Round(0) // by the wall clock: the monotonic one stands still while a machine sleeps
	maps.DeleteFunc(s.access, func(_ string, t accessToken) bool { return now.After(t.expiry) })
	token := "demo_at_" + rand.Text()
	s.access[token] = accessToken{grant: g, expiry: now.Add(s.cfg.AccessTTL)}
	answer := map[string]any{
		"access_token": token,
		"token_type":   "Bearer",
		"expires_in":   int(s.cfg.AccessTTL.Seconds()),
		"scope":        g.scope,
	}
	if slices.Contains(g.client.GrantTypes, grantRefresh) {
		g.refresh = "demo_rt_" + rand.Text()
		s.refresh[g.refresh] = g
		answer["refresh_token"] = g.refresh
	}
	return answer
}

// serveRevoke answers RFC 7009 §2. A refresh token takes its family with it;
// an unknown token is no error.
func (s *Server) serveRevoke(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, fault := s.authenticate(r)
	if fault != nil {
		writeError(w, fault)
		return
	}
	token := r.PostFormValue("token")
	if g := s.refresh[token]; g != nil && g.client == c {
		g.revoked = true
	}
	if t, ok := s.access[token]; ok && t.grant.client == c {
		delete(s.access, token)
	}
	w.WriteHeader(http.StatusOK)
}
