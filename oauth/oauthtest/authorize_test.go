package oauthtest_test

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"testing"

	"github.com/mcp-login/mcp-login/oauth"
	"github.com/mcp-login/mcp-login/oauth/oauthtest"
)

func TestAuthorizationCode(t *testing.T) {
	t.Parallel()
	srv := &oauthtest.Server{}
	c, r := login(t, srv.Client(), mcpURL)
	redeem := func(code, verifier, redirect string) (oauth.Token, error) {
		return c.Token(t.Context(), url.Values{"grant_type": {oauth.GrantAuthorizationCode}, "code": {code},
			"code_verifier": {verifier}, "redirect_uri": {redirect}, "resource": {r.URL}})
	}
	const redirect = "http://127.0.0.1:5555/callback" // any port
	q := authorize(t, c, r.URL, redirect)
	if q.Get("state") != "st" || q.Get("iss") != c.Server.Issuer {
		t.Errorf("response = %v", q)
	}
	_, err := redeem(q.Get("code"), "wrong", redirect)
	wantCode(t, err, oauth.CodeInvalidGrant)
	_, err = redeem(q.Get("code"), "verifier", "http://127.0.0.1:5556/callback")
	wantCode(t, err, oauth.CodeInvalidGrant)
	token, err := redeem(q.Get("code"), "verifier", redirect)
	if err != nil {
		t.Fatal(err)
	}
	wantStatus(t, call(t, c.HTTP, r.URL, token.Access), http.StatusOK)
	_, err = redeem(q.Get("code"), "verifier", redirect)
	wantCode(t, err, oauth.CodeInvalidGrant)
	wantStatus(t, call(t, c.HTTP, r.URL, token.Access), http.StatusUnauthorized) // RFC 6749 §4.1.2

	if q := authorize(t, c, "https://mcp.test/other", redirect); q.Get("error") != oauth.CodeInvalidTarget {
		t.Errorf("response = %v, want invalid_target", q)
	}
	if q := authorize(t, c, r.URL, "http://127.0.0.1/elsewhere"); q != nil {
		t.Errorf("redirected to an unregistered URI: %v", q)
	}
}

func TestConsent(t *testing.T) {
	t.Parallel()
	srv := &oauthtest.Server{Consent: oauthtest.Consent{Deny: true, NoIss: true}}
	c, r := login(t, srv.Client(), mcpURL)
	q := authorize(t, c, r.URL, "http://127.0.0.1/callback")
	if q.Get("error") != oauth.CodeAccessDenied || q.Has("iss") || c.Server.ResponseIss {
		t.Errorf("response = %v", q)
	}
	srv = &oauthtest.Server{Consent: oauthtest.Consent{Iss: "https://evil.test"}}
	c, r = login(t, srv.Client(), mcpURL)
	if q := authorize(t, c, r.URL, "http://127.0.0.1/callback"); q.Get("iss") != "https://evil.test" {
		t.Errorf("response = %v", q)
	}
}

// authorize simulates the browser; it returns nil without a redirect.
func authorize(t *testing.T, c *oauth.Client, resource, redirect string) url.Values {
	t.Helper()
	sum := sha256.Sum256([]byte("verifier"))
	q := url.Values{"response_type": {"code"}, "client_id": {c.App.ID}, "redirect_uri": {redirect}, "state": {"st"}, "resource": {resource},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"}}
	browser := *c.HTTP
	browser.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, err := browser.Get(c.Server.AuthorizationEndpoint + "?" + q.Encode())
	if err != nil {
		t.Fatal(err)
	}
	redirected, err := resp.Location()
	if err != nil {
		return nil
	}
	return redirected.Query()
}
