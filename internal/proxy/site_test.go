package proxy_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/internal/proxy"
	"github.com/mcp-login/mcp-login/oauth"
	"github.com/mcp-login/mcp-login/secrets"
)

// site is an MCP server that requires a token, with the token endpoint that
// refreshes it.
type site struct {
	*httptest.Server
	store secrets.Memory

	mu              sync.Mutex // guards what follows
	mcp             http.Handler
	issued          int // all tokens so far; the last one is valid
	refreshes       int
	refreshRejected bool // the refresh token is rejected
	received        []*http.Request
}

// newSite stores a credential for a server that protects h with a token.
func newSite(t *testing.T, h http.Handler) *site {
	t.Helper()
	s := &site{mcp: h, issued: 1}
	mux := http.NewServeMux()
	mux.HandleFunc("/mcp", s.serveMCP)
	mux.HandleFunc("POST /token", s.serveToken)
	s.Server = httptest.NewServer(mux)
	t.Cleanup(func() {
		s.CloseClientConnections()
		s.Close()
	})
	s.login(t)
	return s
}

// login stores a credential with the valid token, like a sign-in.
func (s *site) login(t *testing.T) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refreshRejected = false
	record, err := json.Marshal(mcplogin.Credential{
		Version: 1, Profile: "box", Server: s.URL + "/mcp",
		Issuer: oauth.Server{Issuer: s.URL, TokenEndpoint: s.URL + "/token"},
		App:    oauth.App{ID: "client", AuthMethod: "none"},
		Token:  oauth.Token{Access: s.token(), Refresh: "refresh", Type: "Bearer"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.store.Put(t.Context(), "box", record, secrets.Any); err != nil {
		t.Fatal(err)
	}
}

func (s *site) token() string { return fmt.Sprintf("token-%d", s.issued) }

// expire makes the server reject the current token.
func (s *site) expire() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.issued++
}

func (s *site) serveToken(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	if s.refreshRejected {
		w.WriteHeader(http.StatusBadRequest)
		io.WriteString(w, `{"error":"invalid_grant"}`)
		return
	}
	s.refreshes++
	fmt.Fprintf(w, `{"access_token":%q,"token_type":"Bearer"}`, s.token())
}

func (s *site) serveMCP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.received = append(s.received, r)
	h, ok := s.mcp, r.Header.Get("Authorization") == "Bearer "+s.token()
	s.mu.Unlock()
	if !ok {
		w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token", resource_metadata="`+s.URL+`/elsewhere"`)
		http.Error(w, "no", http.StatusUnauthorized)
		return
	}
	h.ServeHTTP(w, r)
}

// requests returns the requests of a method that the server has received.
func (s *site) requests(method string) []*http.Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []*http.Request
	for _, r := range s.received {
		if r.Method == method {
			found = append(found, r)
		}
	}
	return found
}

// upstream opens a session with the site's credential.
func (s *site) upstream(t *testing.T) proxy.Upstream {
	t.Helper()
	session, err := mcplogin.Open(mcplogin.Config{Profile: "box", Source: mcplogin.Stored(&s.store)})
	if err != nil {
		t.Fatal(err)
	}
	return proxy.Upstream{
		Session: session, Server: s.URL + "/mcp",
		Explain: func(err error) string { return "explained: " + err.Error() },
	}
}

// inMemory is upstream without sockets, for use in a synctest bubble.
func (s *site) inMemory(t *testing.T) proxy.Upstream {
	up := s.upstream(t)
	up.Transport = roundTripper{s.Config.Handler}
	return up
}

// roundTripper calls a handler directly.
type roundTripper struct{ http.Handler }

func (h roundTripper) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result(), nil
}
