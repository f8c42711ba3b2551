//go:build e2e

package e2e

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mcp-login/mcp-login/ci"
	"github.com/mcp-login/mcp-login/oauth/oauthtest"
)

// verify checks a job's ID token as an authorization server does: its signature,
// issuer, audience and subject (RFC 7523 §3).
func (s *idTokenServer) verify(token, audience, subject string) error {
	text, signature, _ := cutLast(token, ".")
	raw, err := base64.RawURLEncoding.DecodeString(signature)
	if err != nil {
		return err
	}
	digest := sha256.Sum256([]byte(text))
	if err := rsa.VerifyPKCS1v15(&s.key.PublicKey, crypto.SHA256, digest[:], raw); err != nil {
		return err
	}
	id, err := ci.ParseIdentity(token)
	if err != nil {
		return err
	}
	if len(id.Audience) != 1 || id.Audience[0] != audience {
		return errors.New("the ID token is for another audience")
	}
	return id.Expect(s.url, subject)
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// exchangedToken is the access token that the fake server issues for an ID token. Its
// own MCP server does not know it, because it can be for any server.
const exchangedToken = "exchanged-access-token"

func acceptExchangedToken(as http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/mcp" && r.Header.Get("Authorization") == "Bearer "+exchangedToken {
			fmt.Fprint(w, `{"jsonrpc":"2.0","id":1,"result":{"tools":[]}}`)
			return
		}
		as.ServeHTTP(w, r)
	})
}

// TestActionPresentsItsIDToken runs the ID token workflow against an authorization
// server that trusts one repository, by both grants.
func TestActionPresentsItsIDToken(t *testing.T) {
	const subject = "repo:example/example:ref:refs/heads/main"
	for _, tt := range []struct {
		name, grant, subject string
		ok                   bool
	}{
		{"as an assertion", "jwt-bearer", subject, true},
		{"in exchange", "token-exchange", subject, true},
		{"of another repository", "jwt-bearer", "repo:stranger/fork:ref:refs/heads/main", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tokens := startIDTokenServer(t, tt.subject)
			as := &oauthtest.Server{}
			srv := httptest.NewServer(acceptExchangedToken(as))
			t.Cleanup(srv.Close)
			as.URL = srv.URL
			if tt.grant == "jwt-bearer" {
				as.Trust.Assertion = func(jwt string) error { return tokens.verify(jwt, srv.URL, subject) }
			} else {
				as.Trust.Exchange = func(form url.Values) (string, error) {
					return exchangedToken, tokens.verify(form.Get("subject_token"), srv.URL, subject)
				}
			}
			args := append(tokens.env(), "--var", "MCP_URL="+srv.URL+"/mcp")
			log, ok := newRepository(t).act("examples/github-actions/workflows/id-token.yml", args...)
			recordTokens(append(as.Issued(), exchangedToken)...)
			if ok != tt.ok || strings.Contains(log, "MCP_DEMO_AUTHORIZATION=***") != tt.ok {
				t.Errorf("the workflow ended with %t, want %t:\n%s", ok, tt.ok, log)
			}
			if !strings.Contains(log, tt.subject) {
				t.Errorf("the log does not show the subject of the job:\n%s", log)
			}
		})
	}
}

// TestActionExpectsSubject rejects a sign-in as another subject than the expected one.
func TestActionExpectsSubject(t *testing.T) {
	tokens := startIDTokenServer(t, "repo:stranger/fork:ref:refs/heads/main")
	as := &oauthtest.Server{}
	srv := httptest.NewServer(as)
	t.Cleanup(srv.Close)
	as.URL = srv.URL
	as.Trust.Assertion = func(string) error { return nil }
	args := append(tokens.env(), "--var", "MCP_URL="+srv.URL+"/mcp", "--var", "FLOW=ci",
		"--var", "KEEP="+filepath.Join(t.TempDir(), "token"), "--var", "SUBJECT=repo:example/example:ref:refs/heads/main")
	log, ok := newRepository(t).act(".github/workflows/probe.yml", args...)
	recordTokens(as.Issued()...)
	if ok || !strings.Contains(log, "unexpected identity") || strings.Contains(log, "set-env:: MCP_DEMO") {
		t.Errorf("the workflow ended with %t:\n%s", ok, log)
	}
}
