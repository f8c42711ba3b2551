package oauthtest

import (
	"encoding/json"
	"net/http"
	"slices"

	"github.com/mcp-login/mcp-login/oauth"
)

const (
	wellKnownResource = "/.well-known/oauth-protected-resource"
	wellKnownServer   = "/.well-known/oauth-authorization-server"
)

// isMetadata reports whether a path has an authorization server metadata
// document.
func (s *Server) isMetadata(path string) bool {
	for _, q := range s.quirks {
		if q.metadata != nil {
			return slices.Contains(q.metadata, path)
		}
	}
	return path == wellKnownServer || path == "/.well-known/openid-configuration"
}

func (s *Server) serveProtected(w http.ResponseWriter, r *http.Request) {
	s.writeDocument(w, Protected, map[string]any{
		"resource":                 baseURL(r) + "/mcp",
		"authorization_servers":    []string{s.issuer(r)},
		"scopes_supported":         s.scopes(),
		"bearer_methods_supported": []string{"header"},
		"resource_name":            "oauthtest",
	})
}

func (s *Server) serveMetadata(w http.ResponseWriter, r *http.Request) {
	iss := s.issuer(r)
	doc := map[string]any{
		"issuer":                                         iss,
		"authorization_endpoint":                         iss + "/authorize",
		"token_endpoint":                                 iss + "/token",
		"revocation_endpoint":                            iss + "/revoke",
		"response_types_supported":                       []string{"code"},
		"code_challenge_methods_supported":               []string{"S256"},
		"scopes_supported":                               s.scopes(),
		"token_endpoint_auth_methods_supported":          s.authMethods(),
		"grant_types_supported":                          s.grantTypes(),
		"authorization_response_iss_parameter_supported": !s.Consent.NoIss,
	}
	if s.Proofs.Required {
		doc["dpop_signing_alg_values_supported"] = []string{oauth.AlgES256}
	}
	if !s.Device.Off {
		doc["device_authorization_endpoint"] = iss + "/device_authorization"
	}
	if !s.Clients.NoRegistration {
		doc["registration_endpoint"] = iss + "/register"
	}
	s.writeDocument(w, Metadata, doc)
}

func (s *Server) grantTypes() []string {
	types := []string{oauth.GrantAuthorizationCode, oauth.GrantRefreshToken, oauth.GrantClientCredentials}
	if !s.Device.Off {
		types = append(types, oauth.GrantDeviceCode)
	}
	if s.Trust.Assertion != nil {
		types = append(types, oauth.GrantJWTBearer)
	}
	if s.Trust.Exchange != nil {
		types = append(types, oauth.GrantTokenExchange)
	}
	return types
}

func (s *Server) writeDocument(w http.ResponseWriter, e Endpoint, doc map[string]any) {
	if s.Edit != nil {
		s.Edit(e, doc)
	}
	writeJSON(w, http.StatusOK, doc)
}

func (s *Server) scopes() []string {
	if s.Tokens.Scopes != nil {
		return s.Tokens.Scopes
	}
	return []string{"mcp:read", "mcp:write"}
}

func (s *Server) authMethods() []string {
	if s.Clients.AuthMethods != nil {
		return s.Clients.AuthMethods
	}
	methods := []string{oauth.AuthNone, oauth.AuthClientSecretBasic, oauth.AuthClientSecretPost}
	if s.Clients.Keys != nil {
		methods = append(methods, oauth.AuthPrivateKeyJWT)
	}
	return methods
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the client has disconnected
}

// refuse writes an OAuth error (RFC 6749 §5.2).
func refuse(w http.ResponseWriter, status int, code, description string) {
	writeJSON(w, status, map[string]string{"error": code, "error_description": description})
}
