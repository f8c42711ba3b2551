package oauthtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// serveMCP serves the protected MCP server: it accepts any JSON-RPC request
// whose token is valid for exactly this resource.
func (s *Server) serveMCP(w http.ResponseWriter, r *http.Request) {
	if s.SSE && r.Method == http.MethodPost && r.URL.RawQuery == "" {
		w.WriteHeader(http.StatusMethodNotAllowed) // no route for POST, so no challenge either
		return
	}
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
	if s.SSE {
		s.serveSSE(w, r)
		return
	}
	if answer, err := answerTo(r); err != nil {
		http.Error(w, "not JSON", http.StatusBadRequest)
	} else {
		writeJSON(w, http.StatusOK, answer)
	}
}

// answerTo returns the JSON-RPC response: to initialize with the client's protocol
// version or an older one, to any other request with an empty list of tools.
func answerTo(r *http.Request) (map[string]any, error) {
	var msg struct {
		ID     json.RawMessage `json:"id"`
		Method string          `json:"method"`
		Params struct {
			Version string `json:"protocolVersion"`
		} `json:"params"`
	}
	err := json.NewDecoder(r.Body).Decode(&msg)
	answer := map[string]any{"jsonrpc": "2.0", "id": msg.ID}
	switch msg.Method {
	case "initialize":
		answer["result"] = map[string]any{
			"protocolVersion": min(msg.Params.Version, newestVersion), "capabilities": map[string]any{"tools": map[string]any{}},
			"serverInfo": map[string]any{"name": "oauthtest", "version": "1"},
		}
	case "server/discover": // in later versions
		answer["error"] = map[string]any{"code": -32601, "message": "Method not found"}
	default:
		answer["result"] = map[string]any{"tools": []any{}}
	}
	return answer, err
}

// newestVersion is the newest protocol version with sessions.
const newestVersion = "2025-11-25"

// serveSSE serves the HTTP+SSE transport of 2024-11-05: a stream names an
// endpoint, and has the responses to messages posted there. The caller holds s.mu,
// which serveSSE releases while it waits.
func (s *Server) serveSSE(w http.ResponseWriter, r *http.Request) {
	const name = "stream"
	switch id := r.URL.Query().Get(name); {
	case r.Method == http.MethodGet:
		answers := make(chan map[string]any, 100)
		id = strconv.Itoa(len(s.streams))
		s.streams = append(s.streams, answers)
		s.mu.Unlock()
		defer s.mu.Lock()
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprintf(w, "event: endpoint\ndata: /mcp?%s=%s\n\n", name, id)
		for {
			w.(http.Flusher).Flush()
			select {
			case a := <-answers:
				text, _ := json.Marshal(a) // cannot fail: it was JSON before
				fmt.Fprintf(w, "event: message\ndata: %s\n\n", text)
			case <-r.Context().Done():
				return
			}
		}
	case id == "" || r.Method != http.MethodPost:
		w.WriteHeader(http.StatusMethodNotAllowed)
	default:
		n, err := strconv.Atoi(id)
		answer, bad := answerTo(r)
		if err != nil || n < 0 || n >= len(s.streams) || bad != nil {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		w.WriteHeader(http.StatusAccepted)
		if id, _ := answer["id"].(json.RawMessage); id != nil {
			s.streams[n] <- answer
		}
	}
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

// judgeScheme checks the authentication scheme: Bearer for a bearer token, DPoP
// with a proof by its key for a bound token (RFC 9449 §7.1).
func (s *Server) judgeScheme(r *http.Request, scheme, token string, g *grant) string {
	switch {
	case g.jkt == "" && scheme == "Bearer":
		return ""
	case g.jkt == "" || scheme != "DPoP" || thumbprintOf(r) != g.jkt:
		return "invalid_token"
	}
	return s.judgeProof(r, token)
}
