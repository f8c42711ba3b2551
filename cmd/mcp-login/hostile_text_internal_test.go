package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/internal/terminal/terminaltest"
	"github.com/mcp-login/mcp-login/oauth"
	"github.com/mcp-login/mcp-login/secrets"
	"github.com/mcp-login/mcp-login/secrets/file"
)

// hostileText tries to control a terminal, forge lines and run commands of every CI
// provider.
const hostileText = "evil\x1b[31m\x1b]0;t\a\u009b2J\u202e\u2066\u200b\ufeff\n::error::forged\nforged: x\r##vso[task.setvariable variable=A]b\u2028##teamcity[x] " +
	"#\u200b#[error]y ::add-mask::z \x00\x7f\U000e0041"

// hostileASCII is the part of it that is allowed where Unicode is not.
const hostileASCII = "evil\x1b[31m\x1b]0;t\a\n::error::forged\nforged: x\r##vso[task.setvariable variable=A]b##teamcity[x] ##[error]y ::add-mask::z \x7f"

// hostileMCP is an MCP server. Its response to a method is the JSON in answers: a
// member of a JSON-RPC response.
func hostileMCP(t *testing.T, answers map[string]string) (url string) {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var msg struct {
			ID     json.RawMessage `json:"id"`
			Method string          `json:"method"`
		}
		body, _ := io.ReadAll(r.Body) // an empty body is not a message either
		if json.Unmarshal(body, &msg) != nil || len(msg.ID) == 0 {
			w.WriteHeader(http.StatusAccepted)
			return
		}
		answer, found := answers[msg.Method]
		if !found {
			answer = `"error":{"code":-32601,"message":"method not found"}`
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,%s}`, msg.ID, answer)
	}))
	t.Cleanup(srv.Close)
	return srv.URL + "/mcp"
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// hostileTLS is a server that an attacker in the network can substitute for
// another: its certificate is self-signed, and the names in it are hostile.
func hostileTLS(t *testing.T) (url string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		DNSNames: []string{hostileASCII},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewUnstartedServer(http.NotFoundHandler())
	srv.Config.ErrorLog = log.New(io.Discard, "", 0) // that its certificate is rejected
	srv.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
	srv.StartTLS()
	t.Cleanup(srv.Close)
	return strings.Replace(srv.URL, "127.0.0.1", "localhost", 1) + "/mcp" // an IP address is not sent as a server name
}

// put writes a record to the job's store, with any content.
func (j *ciJob) put(t *testing.T, c mcplogin.Credential) {
	t.Helper()
	store, err := file.Open(file.Config{
		Dir: filepath.Join(j.vars["HOME"], "data", "mcp-login"), Keeper: file.KeyFile{Dir: filepath.Join(j.vars["HOME"], "state", "mcp-login", "keys")},
	})
	if err != nil {
		t.Fatal(err)
	}
	c.Version = 1
	if _, err := store.Put(t.Context(), c.Profile, []byte(asJSON(t, c)), secrets.Any); err != nil {
		t.Fatal(err)
	}
}

// agentWithText is an agent, possibly on another host, that responds with this text
// everywhere.
func agentWithText(t *testing.T, text string) (socket string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "a") // because a socket path must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) }) // a temporary folder
	socket = filepath.Join(dir, "s")
	ln, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := strings.TrimPrefix(r.URL.Path, "/v1/profiles/")
		switch {
		case name == "refused" || strings.HasSuffix(name, "/headers"):
			w.WriteHeader(http.StatusForbidden)
			_ = json.NewEncoder(w).Encode(map[string]string{"error": "login_required", "message": text, "server": text, "reason": text})
		case name == r.URL.Path:
			_ = json.NewEncoder(w).Encode(map[string][]string{"profiles": {"demo"}})
		default:
			_ = json.NewEncoder(w).Encode(map[string]any{"profile": name, "server": text, "state": text, "reason": text, "issuer": text, "scopes": []string{text}})
		}
	})}
	go func() { _ = srv.Serve(ln) }() // until Close
	t.Cleanup(func() { _ = srv.Close() })
	return socket
}

// hostileServers send hostileText in every possible place.
type hostileServers struct {
	refusing, failing, listing string // MCP servers
	forbidden                  string // requires scopes
	document                   string // has metadata
	selfSigned                 string // has a certificate
	socket                     string // of an agent
}

func newHostileServers(t *testing.T) hostileServers {
	t.Helper()
	initialized := `"result":` + asJSON(t, map[string]any{
		"protocolVersion": "2025-06-18", "capabilities": map[string]any{"tools": map[string]any{}}, "serverInfo": map[string]string{"name": hostileText, "version": hostileText},
	})
	rejected := `"error":` + asJSON(t, map[string]any{"code": -32000, "message": hostileText})
	tools := `"result":` + asJSON(t, map[string]any{"tools": []any{map[string]any{
		"name": "tool", "description": hostileText, "inputSchema": map[string]string{"type": "object"},
	}}})
	called := `"result":` + asJSON(t, map[string]any{"content": []any{map[string]string{"type": "text", "text": hostileText}}})
	return hostileServers{
		refusing:  hostileMCP(t, map[string]string{"initialize": rejected, "server/discover": rejected}),
		failing:   hostileMCP(t, map[string]string{"initialize": initialized, "tools/list": rejected}),
		listing:   hostileMCP(t, map[string]string{"initialize": initialized, "tools/list": tools, "tools/call": called}),
		forbidden: served(t, asksForScopes), document: served(t, describesItself),
		selfSigned: hostileTLS(t), socket: agentWithText(t, hostileText),
	}
}

func served(t *testing.T, handler http.HandlerFunc) (url string) {
	t.Helper()
	srv := httptest.NewServer(handler)
	t.Cleanup(srv.Close)
	return srv.URL + "/mcp"
}

func asksForScopes(w http.ResponseWriter, _ *http.Request) {
	scope := strings.Map(func(r rune) rune { // characters that net/http allows in a response header
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, hostileText)
	w.Header().Set("WWW-Authenticate", `Bearer error="insufficient_scope", scope="ok `+scope+`"`)
	w.WriteHeader(http.StatusForbidden)
}

// describesItself responds to every metadata request.
func describesItself(w http.ResponseWriter, r *http.Request) {
	self := "http://" + r.Host
	_ = json.NewEncoder(w).Encode(map[string]any{ // the client has disconnected
		"resource": self + "/mcp", "authorization_servers": []string{self, "https://" + hostileText},
		"issuer": self, "authorization_endpoint": self + "/::add-mask::x", "token_endpoint": self + "/token",
		"response_types_supported": []string{hostileText}, "scopes_supported": []string{hostileText, "ok"}, "resource_name": hostileText,
	})
}

// hostileCase is a command that shows hostile text.
type hostileCase struct {
	name   string
	server string // of the profile "demo"
	args   []string
}

func (h hostileServers) cases() []hostileCase {
	return []hostileCase{
		{"JSON-RPC error of the first request", h.refusing, []string{"test", "demo"}},
		{"JSON-RPC error of a later request", h.failing, []string{"test", "demo"}},
		{"tools", h.listing, []string{"test", "demo", "--call", "tool"}},
		{"tools as JSON", h.listing, []string{"test", "demo", "--call", "tool", "--json"}},
		{"scope of a 403", h.forbidden, []string{"test", "demo"}},
		{"certificate", h.selfSigned, []string{"test", "demo"}},
		{"certificate, discover", "", []string{"discover", h.selfSigned}},
		{"certificate, login", "", []string{"login", "new", h.selfSigned}},
		{"metadata", "", []string{"discover", h.document}},
		{"metadata as JSON", "", []string{"discover", h.document, "--json"}},
		{"record, list", "", []string{"list", "--long"}},
		{"record, list as JSON", "", []string{"list", "--long", "--json"}},
		{"record, status", "", []string{"status", "bad"}},
		{"record, status as JSON", "", []string{"status", "bad", "--json"}},
		{"record, check", "", []string{"status", "bad", "--check"}},
		{"record, hint", "", []string{"token", "bad"}},
		{"record, client", "", []string{"client-config", "bad"}},
		{"record, client in TOML", "", []string{"client-config", "bad", "--for", "codex"}},
		{"agent, list", "", []string{"list", "--long", "--agent-sock", h.socket}},
		{"agent, status", "", []string{"status", "demo", "--agent-sock", h.socket}},
		{"agent, check", "", []string{"status", "demo", "--check", "--agent-sock", h.socket}},
		{"agent, hint", "", []string{"token", "demo", "--agent-sock", h.socket}},
		{"agent, error", "", []string{"status", "refused", "--agent-sock", h.socket}},
		{"log", h.refusing, []string{"test", "demo", "--log-level", "trace"}},
		{"log as JSON", "", []string{"login", "new", h.selfSigned, "--log-level", "trace", "--log-format", "json"}},
		{"command line", "", []string{"env", hostileText}},
		{"flag", "", []string{"env", "demo", "--format", hostileText}},
		{"settings", "", []string{"config", "show", "--store", hostileText}},
	}
}

// TestHostileTextIsHarmless: the commands show text of servers, records and
// agents safely, on both streams, in and out of CI.
func TestHostileTextIsHarmless(t *testing.T) {
	h := newHostileServers(t)
	bad := mcplogin.Credential{
		Profile: "bad", Server: "https://mcp.test/" + hostileText, Flow: hostileText,
		Token:  oauth.Token{Access: storedToken, Expiry: time.Now().Add(-time.Hour), Scope: hostileText},
		Issuer: oauth.Server{Issuer: "https://as.test/" + hostileText, TokenEndpoint: h.selfSigned},
	}
	good := oauth.Token{Access: storedToken, Expiry: time.Now().Add(time.Hour)}
	for _, tt := range h.cases() {
		for _, provider := range []string{"", "GITHUB_ACTIONS=true", "TF_BUILD=True", "TEAMCITY_VERSION=2026.1"} {
			t.Run(tt.name+" "+provider, func(t *testing.T) {
				j := newCIJob(t, provider)
				j.put(t, bad)
				if tt.server != "" {
					j.put(t, mcplogin.Credential{Profile: "demo", Server: tt.server, Issuer: oauth.Server{Issuer: "https://as.test"}, Token: good})
				}
				j.run(t, tt.args...)
				checkShown(t, provider != "", j.out.String())
				checkShown(t, provider != "", j.err.String())
				if slices.Contains(tt.args, "--json") && j.out.Len() > 0 && !json.Valid([]byte(j.out.String())) {
					t.Errorf("standard output %q is not JSON", j.out.String())
				}
				if j.out.Len()+j.err.Len() == 0 && tt.name != "record, check" {
					t.Error("the output is empty")
				}
			})
		}
	}
}

func checkShown(t *testing.T, inCI bool, text string) {
	t.Helper()
	if terminaltest.Steers(text) {
		t.Errorf("the output controls a terminal: %q", text)
	}
	if inCI && terminaltest.MayCommand(text) {
		t.Errorf("the output contains a CI command: %q", text)
	}
	for line := range strings.Lines(text) {
		if strings.HasPrefix(strings.TrimLeft(line, " |:"), "forged") || strings.HasPrefix(line, "::error") {
			t.Errorf("the output contains a forged line: %q", text)
		}
	}
}
