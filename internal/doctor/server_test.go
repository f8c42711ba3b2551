package doctor_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/flows"
	"github.com/mcp-login/mcp-login/flows/device"
	"github.com/mcp-login/mcp-login/internal/doctor"
	"github.com/mcp-login/mcp-login/oauth"
)

// site is an MCP server with its authorization server. Both are correct unless a
// test changes something.
type site struct {
	status    int
	post      int    // the status of a response to POST, unless zero
	challenge string // of the response without a token
	resource  map[string]any
	server    map[string]any
	media     string
	answers   map[string]http.HandlerFunc // responses by path that replace a document
	options   mcplogin.LoginOptions
}

// examine starts a site and returns the findings, as "result check: detail".
func examine(t *testing.T, change func(s *site, base string)) []doctor.Finding {
	t.Helper()
	mux := http.NewServeMux()
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	base := srv.URL
	s := &site{
		status:    http.StatusUnauthorized,
		challenge: `Bearer resource_metadata="` + base + `/.well-known/oauth-protected-resource/mcp"`,
		media:     "application/json",
		resource:  map[string]any{"resource": base + "/mcp", "authorization_servers": []any{base}},
		server: map[string]any{
			"issuer": base, "token_endpoint": base + "/token", "authorization_endpoint": base + "/authorize",
			"device_authorization_endpoint": base + "/device", "registration_endpoint": base + "/register",
			"response_types_supported": []any{"code"}, "code_challenge_methods_supported": []any{"S256"},
			"grant_types_supported": []any{"authorization_code", "urn:ietf:params:oauth:grant-type:device_code"},
		},
	}
	if change != nil {
		change(s, base)
	}
	mux.HandleFunc("/mcp", func(w http.ResponseWriter, r *http.Request) {
		if s.post != 0 && r.Method == http.MethodPost {
			w.WriteHeader(s.post)
			return
		}
		if s.challenge != "" {
			w.Header().Set("WWW-Authenticate", s.challenge)
		}
		w.WriteHeader(s.status)
	})
	for path, doc := range map[string]map[string]any{
		"/.well-known/oauth-protected-resource/mcp": s.resource, "/.well-known/oauth-authorization-server": s.server,
	} {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			if answer := s.answers[path]; answer != nil {
				answer(w, r)
				return
			}
			w.Header().Set("Content-Type", s.media)
			if err := json.NewEncoder(w).Encode(doc); err != nil {
				t.Error(err)
			}
		})
	}
	return doctor.Server{URL: base + "/mcp", HTTP: guarded(base + "/mcp"), Flows: []flows.Flow{&device.Flow{}}, Options: s.options}.Examine(t.Context())
}

func guarded(server string) *http.Client { return oauth.Guard{}.Clients()(server) }

func TestServerInOrder(t *testing.T) {
	findings := examine(t, nil)
	if doctor.Worst(findings) != doctor.Pass {
		t.Errorf("findings at a correct server: %+v", findings)
	}
	if len(findings) < 6 {
		t.Errorf("only %d findings: %+v", len(findings), findings)
	}
}

// TestOldTransport: a server of the HTTP+SSE transport of 2024-11-05, whose URL
// does not support POST, is correct.
func TestOldTransport(t *testing.T) {
	findings := examine(t, func(s *site, _ string) { s.post = http.StatusNotFound })
	found := slices.ContainsFunc(findings, func(f doctor.Finding) bool { return f.Check == "transport" })
	if !found || doctor.Worst(findings) != doctor.Pass {
		t.Errorf("detected transport: %v; %+v", found, findings)
	}
}

// TestFaults: each fault of a server is found, with the violated clause.
func TestFaults(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(s *site, base string)
		want   string // a finding as text
	}{
		{"403 for 401", func(s *site, _ string) { s.status = 403 }, "warn status RFC 6750 §3"},
		{"404", func(s *site, _ string) { s.status = 404 }, "fail status"},
		{"405", func(s *site, _ string) { s.status = 405 }, "fail status"},
		{"400", func(s *site, _ string) { s.status = 400 }, "warn status RFC 6750 §3"},
		{"429", func(s *site, _ string) { s.status = 429 }, "fail status"},
		{"500", func(s *site, _ string) { s.status = 500 }, "fail status"},
		{"501", func(s *site, _ string) { s.status = 501 }, "fail status"},
		{"no header", func(s *site, _ string) { s.challenge = "" }, "warn WWW-Authenticate RFC 9110 §15.5.2"},
		{"other scheme", func(s *site, _ string) { s.challenge = "Basic realm=x" }, "warn WWW-Authenticate RFC 6750 §3"},
		{"no resource_metadata", func(s *site, _ string) { s.challenge = `Bearer realm="x"` }, "warn WWW-Authenticate RFC 9728 §5.1"},
		{"another resource", func(s *site, b string) { s.resource["resource"] = b }, "warn /.well-known/oauth-protected-resource/mcp RFC 9728 §3.3"},
		{"no resource", func(s *site, _ string) { delete(s.resource, "resource") }, "fail /.well-known/oauth-protected-resource/mcp RFC 9728 §2"},
		{"no issuers", func(s *site, _ string) { delete(s.resource, "authorization_servers") }, "fail /.well-known/oauth-protected-resource/mcp RFC 9728 §2, required by MCP"},
		{"media type", func(s *site, _ string) { s.media = "text/plain" }, "warn /.well-known/oauth-authorization-server RFC 8414 §3.2"},
		{"issuer", func(s *site, b string) { s.server["issuer"] = b + "/" }, "fail /.well-known/oauth-authorization-server RFC 8414 §3.3"},
		{"no token endpoint", func(s *site, _ string) { delete(s.server, "token_endpoint") }, "fail /.well-known/oauth-authorization-server RFC 8414 §2"},
		{"no PKCE", func(s *site, _ string) { delete(s.server, "code_challenge_methods_supported") }, "fail /.well-known/oauth-authorization-server RFC 8414 §2, required by MCP"},
		{"plain endpoint", func(s *site, _ string) { s.server["revocation_endpoint"] = "http://example.com/revoke" }, "fail /.well-known/oauth-authorization-server RFC 6749 §3.1.2.1"},
		{"device grant not listed", func(s *site, _ string) { s.server["grant_types_supported"] = []any{"authorization_code"} }, "warn /.well-known/oauth-authorization-server RFC 8628 §4"},
		{"no registration", func(s *site, _ string) { delete(s.server, "registration_endpoint") }, "warn registration"},
		{"no issuer", func(s *site, _ string) { delete(s.server, "issuer") }, "fail /.well-known/oauth-authorization-server RFC 8414 §2"},
		{"named metadata not found", instead("oauth-protected-resource/mcp", http.StatusNotFound), "fail /.well-known/oauth-protected-resource/mcp RFC 9728 §5.1"},
		{"broken", instead("oauth-protected-resource/mcp", http.StatusBadGateway), "fail /.well-known/oauth-protected-resource/mcp RFC 9728 §3.2"},
		{"redirected", instead("oauth-protected-resource/mcp", http.StatusFound), "warn /.well-known/oauth-protected-resource/mcp RFC 9728 §3.2"},
		{"server broken", instead("oauth-authorization-server", http.StatusBadGateway), "fail /.well-known/oauth-authorization-server RFC 8414 §3.2"},
		{"server redirected", instead("oauth-authorization-server", http.StatusFound), "warn /.well-known/oauth-authorization-server RFC 8414 §3.2"},
		{"server without metadata", instead("oauth-authorization-server", http.StatusNotFound), "warn document RFC 8414 §3"},
		{"accepted issuer", func(s *site, b string) {
			s.server["issuer"] = b + "/"
			s.options.AcceptIssuer = mcplogin.IssuerPair{Listed: b, Published: b + "/"}
		}, "pass /.well-known/oauth-authorization-server"},
		{"no usable flow", func(s *site, _ string) { delete(s.server, "device_authorization_endpoint") }, "fail flows"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var got []string
			findings := examine(t, tt.change)
			for i, f := range findings {
				if slices.Contains(findings[:i], f) {
					t.Errorf("duplicate finding: %+v", f)
				}
				if (f.Result == doctor.Fail || f.Result == doctor.Warn) && f.Remedy == "" && f.Check != "discovery" { // which the command adds
					t.Errorf("no remedy: %+v", f)
				}
				got = append(got, strings.TrimSpace(fmt.Sprint(f.Result, " ", f.Check, " ", f.Clause)))
			}
			for _, line := range got {
				if line == tt.want {
					return
				}
			}
			t.Errorf("missing finding: %q, in\n%s", tt.want, strings.Join(got, "\n"))
		})
	}
}

// instead responds with a status instead of a document.
func instead(of string, status int) func(*site, string) {
	return func(s *site, _ string) {
		s.answers = map[string]http.HandlerFunc{"/.well-known/" + of: func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Location", "/login")
			w.WriteHeader(status)
		}}
	}
}

// TestUnreachable: a network fault is described in the user's terms.
func TestUnreachable(t *testing.T) {
	plain := httptest.NewServer(http.NotFoundHandler())
	secure := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(plain.Close)
	t.Cleanup(secure.Close)
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	for _, tt := range []struct{ name, url, detail, remedy string }{
		{"refused", closed.URL + "/mcp", "connection refused", "firewall"},
		{"unknown authority", secure.URL + "/mcp", "does not trust", "--ca-cert FILE"},
		{"not TLS", strings.Replace(plain.URL, "http:", "https:", 1) + "/mcp", "does not use TLS on this port", "port"},
		{"no such host", "https://nobody.invalid/mcp", "reach nobody.invalid: ", "check"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			findings := doctor.Server{URL: tt.url, HTTP: guarded(tt.url)}.Examine(t.Context())
			if len(findings) == 0 || findings[0].Result != doctor.Fail ||
				!strings.Contains(findings[0].Check+": "+findings[0].Detail, tt.detail) || !strings.Contains(findings[0].Remedy, tt.remedy) {
				t.Errorf("findings: %+v", findings)
			}
		})
	}
}
