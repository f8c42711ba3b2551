package demoserver

import (
	"encoding/json"
	"net/http"

	"github.com/modelcontextprotocol/go-sdk/oauthex"
)

const (
	grantDevice  = "urn:ietf:params:oauth:grant-type:device_code" // RFC 8628 §3.4
	grantCode    = "authorization_code"
	grantRefresh = "refresh_token"

	methodNone  = "none"
	methodPost  = "client_secret_post"
	methodBasic = "client_secret_basic"

	scopeTools = "mcp:tools"
)

// serveResourceMetadata answers RFC 9728 §3.
func (s *Server) serveResourceMetadata(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, oauthex.ProtectedResourceMetadata{
		Resource:               s.MCP(),
		AuthorizationServers:   []string{s.cfg.URL},
		ScopesSupported:        []string{scopeTools},
		BearerMethodsSupported: []string{"header"},
		ResourceName:           "mcp-login demo",
	})
}

// serveMetadata answers RFC 8414 §3.
func (s *Server) serveMetadata(w http.ResponseWriter, _ *http.Request) {
	methods := []string{methodNone, methodPost, methodBasic}
	writeJSON(w, http.StatusOK, map[string]any{
		"issuer":                                         s.cfg.URL,
		"authorization_endpoint":                         s.cfg.URL + "/authorize",
		"device_authorization_endpoint":                  s.cfg.URL + "/device_authorization",
		"token_endpoint":                                 s.cfg.URL + "/token",
		"registration_endpoint":                          s.cfg.URL + "/register",
		"revocation_endpoint":                            s.cfg.URL + "/revoke",
		"scopes_supported":                               []string{scopeTools},
		"response_types_supported":                       []string{"code"},
		"response_modes_supported":                       []string{"query"},
		"grant_types_supported":                          []string{grantCode, grantDevice, grantRefresh},
		"token_endpoint_auth_methods_supported":          methods,
		"revocation_endpoint_auth_methods_supported":     methods,
		"code_challenge_methods_supported":               []string{"S256"},
		"authorization_response_iss_parameter_supported": true,
	})
}

// oauthError is an error answer (RFC 6749 §5.2 and its relatives).
type oauthError struct {
	Code        string `json:"error"`
	Description string `json:"error_description,omitempty"`
	status      int    // 0: 400
}

func (e *oauthError) Error() string { return e.Code + ": " + e.Description }

func writeError(w http.ResponseWriter, e *oauthError) {
	status := e.status
	if status == 0 {
		status = http.StatusBadRequest
	}
	writeJSON(w, status, e)
}

// writeJSON sends v. Most answers hold secrets, so none may be cached
// (RFC 6749 §5.1).
func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the status is sent: nobody is left to tell
}
