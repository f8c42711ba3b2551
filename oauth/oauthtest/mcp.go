package oauthtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// serveMCP is the protected server: any JSON-RPC request is answered if its
// bearer token is good for exactly this resource.
func (s *Server) serveMCP(w http.ResponseWriter, r *http.Request) {
	metadata := baseURL(r) + wellKnownResource + "/mcp"
	scheme, token, sent := strings.Cut(r.Header.Get("Authorization"), " ")
	if !sent {
		s.challenge(w, http.StatusUnauthorized, metadata, "")
		return
	}
	g := s.access[token]
	if g == nil || g.family.revoked || !time.Now().Before(g.expiry) || g.resource != "" && g.resource != baseURL(r)+"/mcp" {
		s.challenge(w, http.StatusUnauthorized, metadata, "invalid_token")
		return
	}
	if problem := s.judgeScheme(r, scheme, token, g); problem != "" {
		s.nonce(w)
		s.challenge(w, http.StatusUnauthorized, metadata, problem)
		return
	}
	granted := strings.Fields(g.scope)
	for _, need := range strings.Fields(s.Tokens.Required) {
		if !slices.Contains(granted, need) {
			s.challenge(w, http.StatusForbidden, metadata, "insufficient_scope")
			return
		}
	}
	var msg struct {
		ID json.RawMessage `json:"id"`
	}
	if err := json.NewDecoder(r.Body).Decode(&msg); err != nil {
		http.Error(w, "not JSON", http.StatusBadRequest)
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{
		"jsonrpc": "2.0", "id": msg.ID, "result": map[string]any{"tools": []any{}},
	})
}

func (s *Server) challenge(w http.ResponseWriter, status int, metadata, problem string) {
	value := fmt.Sprintf("%s resource_metadata=%q", s.scheme(), metadata)
	if problem != "" {
		value += fmt.Sprintf(", error=%q", problem)
	}
	if s.Tokens.Required != "" {
		value += fmt.Sprintf(", scope=%q", s.Tokens.Required)
	}
	w.Header().Set("WWW-Authenticate", value)
	w.WriteHeader(status)
}

func (s *Server) scheme() string {
	if s.Proofs.Required {
		return "DPoP"
	}
	return "Bearer"
}

// judgeScheme wants a bearer token as such, and a bound token with a proof by
// its key (RFC 9449 §7.1).
func (s *Server) judgeScheme(r *http.Request, scheme, token string, g *grant) string {
	switch {
	case g.jkt == "" && scheme == "Bearer":
		return ""
	case g.jkt == "" || scheme != "DPoP" || thumbprintOf(r) != g.jkt:
		return "invalid_token"
	}
	return s.judgeProof(r, token)
}
