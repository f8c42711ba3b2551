package mcplogin_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/oauth"
	"github.com/mcp-login/mcp-login/oauth/oauthtest"
)

// TestRejectedRefreshIsRemembered: an OAuth error other than invalid_grant may be
// temporary: no process tries again for ten minutes, and the refresh token is kept.
func TestRejectedRefreshIsRemembered(t *testing.T) {
	for _, answer := range []oauthtest.Fault{
		{Status: 400, Body: `{"error":"invalid_request","error_description":"claimed by another client"}`},
		{Status: 401, Body: `{"error":"invalid_token"}`},
		{Status: 400, Body: `{"error":"access_denied"}`},
		{Status: 200, Body: `{"error":"bad_refresh_token"}`},
		{Status: 400, Body: `{"code":400,"error_code":"refresh_token_not_found","msg":"Invalid Refresh Token"}`},
	} {
		t.Run(answer.Body, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := loggedIn(t, time.Minute)
				time.Sleep(2 * time.Minute)
				answer.Times = -1
				w.srv.Fault(oauthtest.Token, answer)
				before := w.srv.Count(oauthtest.Token)
				for range 3 {
					if _, err := w.open(t).Token(t.Context()); !errors.Is(err, mcplogin.ErrLoginRequired) {
						t.Errorf("error = %v, want login required", err)
					}
					time.Sleep(time.Minute)
				}
				if n := w.srv.Count(oauthtest.Token) - before; n != 1 {
					t.Errorf("%d requests, want 1", n)
				}
				time.Sleep(8 * time.Minute)
				if _, err := w.open(t).Token(t.Context()); !errors.Is(err, mcplogin.ErrLoginRequired) {
					t.Errorf("error after ten minutes = %v, want login required", err)
				}
				c, err := w.open(t).Credential(t.Context())
				if err != nil || c.Token.Refresh == "" || w.srv.Count(oauthtest.Token)-before != 2 {
					t.Errorf("the refresh token is gone, or was not tried again after ten minutes (%v)", err)
				}
			})
		})
	}
}

// TestRejectedRefreshRecovers: a refresh that was rejected temporarily works again
// once the server accepts it.
func TestRejectedRefreshRecovers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := loggedIn(t, time.Minute)
		time.Sleep(2 * time.Minute)
		w.srv.Fault(oauthtest.Token, oauthtest.Fault{Status: 400, Body: `{"error":"invalid_request"}`})
		if _, err := w.open(t).Token(t.Context()); !errors.Is(err, mcplogin.ErrLoginRequired) {
			t.Fatalf("error = %v, want login required", err)
		}
		time.Sleep(10 * time.Minute)
		token, err := w.open(t).Token(t.Context())
		if err != nil || !w.works(t, token) {
			t.Errorf("token after ten minutes: %v", err)
		}
		if c, err := w.open(t).Credential(t.Context()); err != nil || c.Refused != "" || !c.RefusedAt.IsZero() {
			t.Errorf("the rejection is still stored: %q at %s (%v)", c.Refused, c.RefusedAt, err)
		}
	})
}

// TestErrorWithoutOAuthIsTemporary: an error page of a firewall must not sign out
// every machine.
func TestErrorWithoutOAuthIsTemporary(t *testing.T) {
	for _, answer := range []oauthtest.Fault{
		{Status: 403, Header: http.Header{"Content-Type": {"text/html"}}, Body: "<h1>Blocked</h1>"},
		{Status: 403}, {Status: 404, Body: "not here"}, {Drop: true},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := loggedIn(t, time.Minute)
			time.Sleep(2 * time.Minute)
			w.srv.Fault(oauthtest.Token, answer)
			if _, err := w.open(t).Token(t.Context()); !oauth.Temporary(err) || errors.Is(err, mcplogin.ErrLoginRequired) {
				t.Errorf("status %d: error = %v, want a temporary one", answer.Status, err)
			}
			if token, err := w.open(t).Token(t.Context()); err != nil || !w.works(t, token) {
				t.Errorf("status %d: the next refresh: %v", answer.Status, err)
			}
		})
	}
}

// TestNewLoginReachesARunningTransport: a login in another process is used by a
// running program: anomalyco/opencode#21702.
func TestNewLoginReachesARunningTransport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newFixture()
		w.srv.Tokens.Required = "mcp:write"
		login := func(scope string) {
			s := w.open(t, func(a *sessionConfig) { a.Options.Scopes = []string{scope} })
			if _, err := s.Login(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		login("mcp:read")
		client := &http.Client{Transport: w.open(t).Transport(nil)}
		post := func() int {
			resp, err := client.Post(server, "application/json", strings.NewReader(`{"jsonrpc":"2.0","id":1}`))
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			return resp.StatusCode
		}
		if status := post(); status != http.StatusForbidden {
			t.Fatalf("status %d with too narrow a token, want 403", status)
		}
		login("mcp:write")
		if status := post(); status != http.StatusOK {
			t.Errorf("status %d after another process signed in, want 200", status)
		}
	})
}

// TestWellBehavedLoginMakesNoExtraRequest: a server without quirks gets only the
// necessary requests.
func TestWellBehavedLoginMakesNoExtraRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := loggedIn(t, time.Hour)
		for _, e := range []oauthtest.Endpoint{oauthtest.MCP, oauthtest.Protected, oauthtest.Metadata, oauthtest.Register, oauthtest.DeviceAuth, oauthtest.Token} {
			if n := w.srv.Count(e); n != 1 {
				t.Errorf("%d requests to %s, want 1", n, e)
			}
		}
		if n := w.srv.Count(oauthtest.Manage) + w.srv.Count(oauthtest.Authorize) + w.srv.Count(oauthtest.Revoke); n != 0 {
			t.Errorf("%d requests elsewhere", n)
		}
	})
}

// TestStatusAgreesWithTokenOnFreshness: status and token use the same rule for
// short-lived tokens: otherwise `status --check || refresh` would refresh each
// time.
func TestStatusAgreesWithTokenOnFreshness(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := loggedIn(t, time.Minute)
		c, err := w.open(t).Credential(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if s := c.Status(mcplogin.DefaultMinTTL); s.State != mcplogin.StateValid {
			t.Errorf("state of a new token of one minute = %q", s.State)
		}
		before := w.srv.Count(oauthtest.Token)
		if _, err := w.open(t).Token(t.Context()); err != nil || w.srv.Count(oauthtest.Token) != before {
			t.Errorf("the new token was refreshed (%v)", err)
		}
	})
}

// TestInvalidTokens: servers do not always respond to a revoked token with 401. If the
// response blames the token, it is refreshed automatically; otherwise the refresh
// command fixes it.
func TestInvalidTokens(t *testing.T) {
	for name, recovers := range map[string]bool{"dead-token-400": true, "dead-token-200": false, "dead-token-307": false} {
		synctest.Test(t, func(t *testing.T) {
			w := newFixture()
			for _, q := range oauthtest.Quirks() {
				if q.Name == name {
					w.srv.With(q)
				}
			}
			s := w.open(t)
			if _, err := s.Login(t.Context()); err != nil {
				t.Fatal(err)
			}
			w.srv.RevokeAccess()
			client := &http.Client{Transport: s.Transport(nil), CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
			tools := func() string {
				resp, err := client.Post(server, "application/json", strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"tools/list"}`))
				if err != nil {
					t.Fatal(err)
				}
				defer resp.Body.Close()
				body, err := io.ReadAll(resp.Body)
				if err != nil {
					t.Fatal(err)
				}
				return string(body)
			}
			if answer := tools(); strings.Contains(answer, `"tools"`) != recovers {
				t.Errorf("%s: the first response is %s", name, answer)
			}
			if _, err := s.Refresh(t.Context()); err != nil {
				t.Fatal(err)
			}
			if answer := tools(); !strings.Contains(answer, `"tools"`) {
				t.Errorf("%s: after a refresh the response is %s", name, answer)
			}
		})
	}
}
