package oauthtest_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mcp-login/mcp-login/oauth"
	"github.com/mcp-login/mcp-login/oauth/oauthtest"
)

const mcpURL = "https://mcp.test/mcp"

// login runs discovery and registration.
func login(t *testing.T, c *http.Client, mcpURL string) (*oauth.Client, oauth.Resource) {
	t.Helper()
	r, err := oauth.Discover(t.Context(), c, mcpURL)
	if err != nil {
		t.Fatal(err)
	}
	s, err := oauth.FetchServer(t.Context(), c, r.Issuers[0])
	if err != nil {
		t.Fatal(err)
	}
	app, err := oauth.Register(t.Context(), c, s, oauth.ClientMetadata{
		GrantTypes:   []string{oauth.GrantDeviceCode, oauth.GrantRefreshToken, oauth.GrantAuthorizationCode},
		RedirectURIs: []string{"http://127.0.0.1/callback"},
	}, "")
	if err != nil {
		t.Fatal(err)
	}
	return &oauth.Client{HTTP: c, Server: s, App: app}, r
}

// deviceToken signs in by the device flow, in virtual time.
func deviceToken(t *testing.T, srv *oauthtest.Server, c *oauth.Client, r oauth.Resource) oauth.Token {
	t.Helper()
	d, err := c.AuthorizeDevice(t.Context(), nil, r.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !srv.ApproveDevice(d.UserCode) {
		t.Fatalf("user code %q is not pending", d.UserCode)
	}
	token, err := c.DeviceToken(t.Context(), d.DeviceCode, r.URL)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func call(t *testing.T, c *http.Client, target, token string) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, target, strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"tools/list"}`))
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return resp
}

func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	if !oauth.IsCode(err, code) {
		t.Errorf("error = %v, want %s", err, code)
	}
}

func wantStatus(t *testing.T, resp *http.Response, status int) {
	t.Helper()
	if resp.StatusCode != status {
		t.Errorf("status = %d, want %d", resp.StatusCode, status)
	}
}

// TestListener: the same login over a real socket, with a guarded client.
func TestListener(t *testing.T) {
	t.Parallel()
	srv := &oauthtest.Server{}
	web := httptest.NewServer(srv)
	defer web.Close()
	hc := oauth.Guard{Server: web.URL + "/mcp"}.Client()
	c, r := login(t, hc, web.URL+"/mcp")
	if r.URL != web.URL+"/mcp" || c.Server.Issuer != web.URL {
		t.Errorf("resource %q, issuer %q, want those of %q", r.URL, c.Server.Issuer, web.URL)
	}
	token := deviceToken(t, srv, c, r)
	wantStatus(t, call(t, hc, r.URL, token.Access), http.StatusOK)
	wantStatus(t, call(t, hc, r.URL, ""), http.StatusUnauthorized)
	if !slices.Contains(srv.Issued(), token.Access) || !slices.Contains(srv.Issued(), token.Refresh) {
		t.Error("Issued lacks a token")
	}
	if err := oauth.Deregister(t.Context(), hc, c.App); err != nil {
		t.Error(err)
	}
	_, err := c.AuthorizeDevice(t.Context(), nil, r.URL, nil)
	wantCode(t, err, oauth.CodeInvalidClient)
}

func TestRotationAndReuse(t *testing.T) {
	t.Parallel()
	srv := &oauthtest.Server{}
	c, r := login(t, srv.Client(), mcpURL)
	first := deviceToken(t, srv, c, r)
	_, err := c.Refresh(t.Context(), first.Refresh, "https://other.test/mcp", nil)
	wantCode(t, err, oauth.CodeInvalidTarget)
	second, err := c.Refresh(t.Context(), first.Refresh, r.URL, nil)
	if err != nil || second.Refresh == first.Refresh {
		t.Fatalf("refresh: %v, or not rotated", err)
	}
	wantStatus(t, call(t, c.HTTP, r.URL, second.Access), http.StatusOK)
	_, err = c.Refresh(t.Context(), first.Refresh, r.URL, nil)
	wantCode(t, err, oauth.CodeInvalidGrant)
	_, err = c.Refresh(t.Context(), second.Refresh, r.URL, nil)
	wantCode(t, err, oauth.CodeInvalidGrant) // the whole family
	wantStatus(t, call(t, c.HTTP, r.URL, second.Access), http.StatusUnauthorized)
	if n := srv.Grants(oauth.GrantRefreshToken); n != 1 {
		t.Errorf("Grants = %d, want 1", n)
	}
}

func TestTokensSettings(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := &oauthtest.Server{Tokens: oauthtest.Tokens{TTL: time.Minute, NoRotation: true, Scopes: []string{"x", "y"}, Required: "x z"}}
		c, r := login(t, srv.Client(), mcpURL)
		if r.ChallengeScope != "x z" || strings.Join(r.Scopes, " ") != "x y" {
			t.Errorf("scopes %q, challenge %q", r.Scopes, r.ChallengeScope)
		}
		token := deviceToken(t, srv, c, r)
		again, err := c.Refresh(t.Context(), token.Refresh, r.URL, nil)
		if err != nil || again.Refresh != token.Refresh {
			t.Errorf("refresh: %v, or rotated", err)
		}
		resp := call(t, c.HTTP, r.URL, token.Access)
		wantStatus(t, resp, http.StatusForbidden)
		if ch := oauth.ParseChallenges(resp.Header); ch[0].Params["error"] != "insufficient_scope" || ch[0].Params["scope"] != "x z" {
			t.Errorf("challenges = %q", ch)
		}
		time.Sleep(time.Minute)
		wantStatus(t, call(t, c.HTTP, r.URL, token.Access), http.StatusUnauthorized)
		wantStatus(t, call(t, c.HTTP, "https://other.test/mcp", again.Access), http.StatusUnauthorized) // RFC 8707
		_, err = c.AuthorizeDevice(t.Context(), []string{"unknown"}, r.URL, nil)
		wantCode(t, err, oauth.CodeInvalidScope)
		_, err = c.AuthorizeDevice(t.Context(), nil, "", nil)
		wantCode(t, err, oauth.CodeInvalidTarget)
	})
}

func TestRevoke(t *testing.T) {
	t.Parallel()
	srv := &oauthtest.Server{Tokens: oauthtest.Tokens{TTL: -1}}
	c, r := login(t, srv.Client(), mcpURL)
	token := deviceToken(t, srv, c, r)
	if !token.Expiry.IsZero() {
		t.Error("a negative TTL must omit expires_in")
	}
	for _, s := range []string{token.Access, token.Refresh, "unknown"} {
		if err := c.Revoke(t.Context(), s, ""); err != nil {
			t.Error(err)
		}
	}
	wantStatus(t, call(t, c.HTTP, r.URL, token.Access), http.StatusUnauthorized)
	_, err := c.Refresh(t.Context(), token.Refresh, r.URL, nil)
	wantCode(t, err, oauth.CodeInvalidGrant)
	other := deviceToken(t, srv, c, r)
	srv.RevokeAll()
	_, err = c.Refresh(t.Context(), other.Refresh, r.URL, nil)
	wantCode(t, err, oauth.CodeInvalidGrant)
}

func TestClients(t *testing.T) {
	t.Parallel()
	srv := &oauthtest.Server{URL: "https://as.test", Clients: oauthtest.Clients{
		Known: map[string]string{"robot": "s3cret", "person": ""}, InitialAccessToken: "iat", AuthMethods: []string{oauth.AuthClientSecretBasic}}}
	hc := srv.Client()
	s, err := oauth.FetchServer(t.Context(), hc, "https://as.test")
	if err != nil {
		t.Fatal(err)
	}
	_, err = oauth.Register(t.Context(), hc, s, oauth.ClientMetadata{GrantTypes: []string{oauth.GrantDeviceCode}}, "")
	wantCode(t, err, oauth.CodeInvalidToken)
	app, err := oauth.Register(t.Context(), hc, s, oauth.ClientMetadata{GrantTypes: []string{oauth.GrantDeviceCode}}, "iat")
	if err != nil || app.Secret == "" || app.AuthMethod != oauth.AuthClientSecretBasic {
		t.Fatalf("Register = %v, %v", app, err)
	}
	_, err = oauth.Register(t.Context(), hc, s, oauth.ClientMetadata{RedirectURIs: []string{"http://evil.test/"}}, "iat")
	wantCode(t, err, oauth.CodeInvalidRedirectURI)
	_, err = oauth.Register(t.Context(), hc, s, oauth.ClientMetadata{}, "iat")
	wantCode(t, err, oauth.CodeInvalidClientMetadata)

	grant := url.Values{"grant_type": {oauth.GrantClientCredentials}, "resource": {mcpURL}}
	for _, tt := range []struct {
		app  oauth.App
		code string
	}{
		{oauth.App{ID: "robot", Secret: "wrong"}, oauth.CodeInvalidClient},
		{oauth.App{ID: "nobody"}, oauth.CodeInvalidClient},
		{oauth.App{ID: "person"}, oauth.CodeUnauthorizedClient},
		{app, oauth.CodeUnauthorizedClient},
	} {
		_, err := (&oauth.Client{HTTP: hc, Server: s, App: tt.app}).Token(t.Context(), grant)
		wantCode(t, err, tt.code)
	}
	robot := &oauth.Client{HTTP: hc, Server: s, App: oauth.App{ID: "robot", Secret: "s3cret"}}
	token, err := robot.Token(t.Context(), grant)
	if err != nil || token.Refresh != "" {
		t.Fatalf("client_credentials: %v, or with a refresh token", err)
	}
	wantStatus(t, call(t, hc, mcpURL, token.Access), http.StatusOK)
	_, err = robot.Token(t.Context(), url.Values{"grant_type": {"password"}})
	wantCode(t, err, oauth.CodeUnsupportedGrantType)
}

func TestEdit(t *testing.T) {
	t.Parallel()
	srv := &oauthtest.Server{
		Device:  oauthtest.Device{Off: true},
		Clients: oauthtest.Clients{NoRegistration: true},
		Edit: func(e oauthtest.Endpoint, doc map[string]any) {
			if e == oauthtest.Metadata {
				delete(doc, "revocation_endpoint")
			}
		},
	}
	s, err := oauth.FetchServer(t.Context(), srv.Client(), "https://as.test")
	if err != nil || s.RevocationEndpoint+s.DeviceAuthorizationEndpoint+s.RegistrationEndpoint != "" {
		t.Errorf("FetchServer = %+v, %v", s, err)
	}
	resp, err := srv.Client().Get("https://as.test/device_authorization")
	if err != nil {
		t.Fatal(err)
	}
	wantStatus(t, resp, http.StatusNotFound)
}
