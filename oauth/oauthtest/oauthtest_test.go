package oauthtest_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
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

// login discovers and registers.
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

// deviceToken logs in by device; time is virtual.
func deviceToken(t *testing.T, srv *oauthtest.Server, c *oauth.Client, r oauth.Resource) oauth.Token {
	t.Helper()
	d, err := c.AuthorizeDevice(t.Context(), nil, r.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !srv.ApproveDevice(d.UserCode) {
		t.Fatalf("user code %q is not waiting", d.UserCode)
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

// The same login over a real socket and a guarded client.
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

func TestDevice(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := &oauthtest.Server{Device: oauthtest.Device{SlowDowns: 1, ExpiresIn: time.Minute}}
		c, r := login(t, srv.Client(), mcpURL)
		d, err := c.AuthorizeDevice(t.Context(), []string{"mcp:read"}, r.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		poll := func(wait time.Duration, code string) {
			t.Helper()
			time.Sleep(wait)
			_, err := c.DeviceToken(t.Context(), d.DeviceCode, r.URL)
			wantCode(t, err, code)
		}
		poll(5*time.Second, oauth.CodeSlowDown)              // SlowDowns
		poll(10*time.Second, oauth.CodeAuthorizationPending) // at the new interval exactly
		poll(10*time.Second-1, oauth.CodeSlowDown)           // a moment early
		_, err = c.DeviceToken(t.Context(), d.DeviceCode, "https://other.test/mcp")
		wantCode(t, err, oauth.CodeInvalidTarget)
		if !srv.DenyDevice(d.UserCode) || srv.DenyDevice(d.UserCode) || srv.ApproveDevice("nonsense") {
			t.Error("a code must be decided once")
		}
		poll(15*time.Second, oauth.CodeAccessDenied)
		poll(30*time.Second, oauth.CodeExpiredToken)
		if n := len(srv.Polls()); n != 6 {
			t.Errorf("Polls = %d, want 6", n)
		}
	})
}

func TestDeviceAutoApprove(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := &oauthtest.Server{Device: oauthtest.Device{AutoApprove: 2, NoInterval: true, NoComplete: true}}
		c, r := login(t, srv.Client(), mcpURL)
		d, err := c.AuthorizeDevice(t.Context(), nil, r.URL, nil)
		if err != nil || d.VerificationURIComplete != "" {
			t.Fatalf("%v, %v", d, err)
		}
		_, err = c.DeviceToken(t.Context(), d.DeviceCode, r.URL)
		wantCode(t, err, oauth.CodeAuthorizationPending)
		time.Sleep(d.Interval)
		if _, err = c.DeviceToken(t.Context(), d.DeviceCode, r.URL); err != nil {
			t.Error(err)
		}
		time.Sleep(d.Interval)
		_, err = c.DeviceToken(t.Context(), d.DeviceCode, r.URL)
		wantCode(t, err, oauth.CodeInvalidGrant) // once only
	})
}

func TestDevicePage(t *testing.T) {
	t.Parallel()
	srv := &oauthtest.Server{}
	c, r := login(t, srv.Client(), mcpURL)
	d, err := c.AuthorizeDevice(t.Context(), nil, r.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		form   url.Values
		status int
	}{
		{url.Values{"user_code": {"wrong"}}, http.StatusNotFound},
		{url.Values{"user_code": {d.UserCode}, "deny": {"1"}}, http.StatusOK},
	} {
		resp, err := srv.Client().PostForm(d.VerificationURI, tt.form)
		if err != nil {
			t.Fatal(err)
		}
		wantStatus(t, resp, tt.status)
	}
	resp, err := srv.Client().Get(d.VerificationURIComplete)
	if err != nil {
		t.Fatal(err)
	}
	wantStatus(t, resp, http.StatusOK)
	_, err = c.DeviceToken(t.Context(), d.DeviceCode, r.URL)
	wantCode(t, err, oauth.CodeAccessDenied)
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
		t.Error("a negative TTL must leave expires_in out")
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
		t.Errorf("answer = %v", q)
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
		t.Errorf("answer = %v, want invalid_target", q)
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
		t.Errorf("answer = %v", q)
	}
	srv = &oauthtest.Server{Consent: oauthtest.Consent{Iss: "https://evil.test"}}
	c, r = login(t, srv.Client(), mcpURL)
	if q := authorize(t, c, r.URL, "http://127.0.0.1/callback"); q.Get("iss") != "https://evil.test" {
		t.Errorf("answer = %v", q)
	}
}

// authorize plays the browser; nil: not redirected.
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
	back, err := resp.Location()
	if err != nil {
		return nil
	}
	return back.Query()
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

func TestFaults(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := &oauthtest.Server{}
		c, r := login(t, srv.Client(), mcpURL)
		token := deviceToken(t, srv, c, r)
		refresh := func(token string) (oauth.Token, error) {
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			return c.Refresh(ctx, token, r.URL, nil)
		}
		srv.Fault(oauthtest.Token, oauthtest.Fault{Times: 2, Status: 503, Header: http.Header{"retry-after": {"3"}}, Body: "<html>"})
		srv.Fault(oauthtest.Token, oauthtest.Fault{Drop: true, Delay: time.Second})
		srv.Fault(oauthtest.Token, oauthtest.Fault{Hang: true})
		srv.Fault(oauthtest.Token, oauthtest.Fault{Delay: time.Minute})
		for i, want := range []time.Duration{0, 0, time.Second, 30 * time.Second, 30 * time.Second} {
			start := time.Now()
			_, err := refresh(token.Refresh)
			if took := time.Since(start); !oauth.Temporary(err) || took != want {
				t.Errorf("%d: error %v after %v, want a temporary one after %v", i, err, took, want)
			}
		}
		srv.Fault(oauthtest.Token, oauthtest.Fault{After: true, Drop: true})
		if _, err := refresh(token.Refresh); !oauth.Temporary(err) {
			t.Errorf("error = %v, want a lost answer", err)
		}
		_, err := refresh(token.Refresh) // it was rotated: this is the loss nobody can prevent
		wantCode(t, err, oauth.CodeInvalidGrant)
		srv.Fault(oauthtest.MCP, oauthtest.Fault{Times: -1, Status: 418})
		for range 3 {
			wantStatus(t, call(t, c.HTTP, r.URL, ""), 418)
		}
		if n := srv.Count(oauthtest.MCP); n != 4 {
			t.Errorf("Count = %d, want 4", n)
		}
	})
}

// Behind a listener a dropped and a hanging answer look like the real thing.
func TestFaultsOnTheWire(t *testing.T) {
	t.Parallel()
	srv := &oauthtest.Server{}
	web := httptest.NewServer(srv)
	defer web.Close()
	srv.Fault(oauthtest.MCP, oauthtest.Fault{Drop: true})
	srv.Fault(oauthtest.MCP, oauthtest.Fault{Hang: true})
	hc := oauth.Guard{Server: web.URL, Timeout: 200 * time.Millisecond}.Client()
	for range 2 {
		if _, err := oauth.Discover(t.Context(), hc, web.URL+"/mcp"); !oauth.Temporary(err) {
			t.Errorf("error = %v, want a temporary one", err)
		}
	}
}
