package mcplogin_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/flows"
	"github.com/mcp-login/mcp-login/flows/clientcred"
	"github.com/mcp-login/mcp-login/oauth"
	"github.com/mcp-login/mcp-login/oauth/oauthtest"
)

// respondWith sets the next response of the token endpoint.
func (w *fixture) respondWith(body string) {
	w.srv.Fault(oauthtest.Token, oauthtest.Fault{Status: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Body: body})
}

// loggedInRobot signs in with client credentials at a server that also returns a
// refresh token, but never accepts it.
func loggedInRobot(t *testing.T) (*fixture, flows.Flow) {
	t.Helper()
	w := newFixture()
	w.srv.Tokens.TTL = 10 * time.Minute
	w.srv.Clients.Known = map[string]string{"robot": "hush"}
	w.respondWith(`{"access_token":"at-first","token_type":"Bearer","expires_in":600,"refresh_token":"rt-dead"}`)
	f := clientcred.ClientCredentials{}
	c, err := w.open(t, withFlow(f, oauth.App{ID: "robot", Secret: "hush"}, flows.Inputs{})).Login(t.Context())
	if err != nil || c.Token.Refresh == "" {
		t.Fatalf("Login() = %v, refresh token %q", err, c.Token.Refresh)
	}
	return w, f
}

func TestNonInteractiveInvalidRefreshToken(t *testing.T) {
	for _, code := range []string{oauth.CodeInvalidGrant, oauth.CodeUnauthorizedClient, oauth.CodeUnsupportedGrantType} {
		t.Run(code, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, f := loggedInRobot(t)
				time.Sleep(15 * time.Minute)
				w.srv.Fault(oauthtest.Token, oauthtest.Fault{Status: http.StatusBadRequest, Body: `{"error":"` + code + `"}`})
				for range 3 {
					s := w.otherProcess(t, f)
					token, err := s.Token(t.Context())
					if err != nil || !w.works(t, token) {
						t.Fatalf("Token() = %v", err)
					}
					if c, err := s.Credential(t.Context()); err != nil || c.Token.Refresh != "" || c.Refused != "" {
						t.Errorf("refresh token %q, rejected %q, %v", c.Token.Refresh, c.Refused, err)
					}
					time.Sleep(15 * time.Minute)
				}
				if n := w.srv.Count(oauthtest.Token); n != 1+1+3 {
					t.Errorf("%d requests, want the login, one rejected refresh and three tokens", n)
				}
			})
		})
	}
}

// TestNonInteractiveAfterOutage: after an outage during the second
// run of the flow, the invalid refresh token is not tried again.
func TestNonInteractiveAfterOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, f := loggedInRobot(t)
		time.Sleep(15 * time.Minute)
		w.srv.Fault(oauthtest.Token, oauthtest.Fault{})
		w.srv.Fault(oauthtest.Token, oauthtest.Fault{Status: http.StatusServiceUnavailable})
		if _, err := w.otherProcess(t, f).Token(t.Context()); !oauth.Temporary(err) {
			t.Fatalf("Token() during the outage = %v, want a temporary error", err)
		}
		before := w.srv.Count(oauthtest.Token)
		token, err := w.otherProcess(t, f).Token(t.Context())
		if err != nil || !w.works(t, token) {
			t.Fatalf("Token() after the outage = %v", err)
		}
		if n := w.srv.Count(oauthtest.Token) - before; n != 1 {
			t.Errorf("%d requests after the outage, want 1", n)
		}
	})
}

// TestNonInteractiveAfterRejection: a client that the server rejected
// temporarily works again.
func TestNonInteractiveAfterRejection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, f := loggedInRobot(t)
		time.Sleep(15 * time.Minute)
		w.srv.Clients.Known["robot"] = "changed"
		if _, err := w.otherProcess(t, f).Token(t.Context()); !errors.Is(err, mcplogin.ErrLoginRequired) {
			t.Fatalf("Token() = %v, want ErrLoginRequired", err)
		}
		w.srv.Clients.Known["robot"] = "hush"
		s := w.otherProcess(t, f)
		if _, err := s.Token(t.Context()); err != nil {
			t.Fatal(err)
		}
		if c, err := s.Credential(t.Context()); err != nil || c.Refused != "" {
			t.Errorf("rejected: %q, %v", c.Refused, err)
		}
	})
}

// idToken returns an unsigned ID token with this lifetime.
func idToken(lifetime time.Duration) string {
	payload := fmt.Sprintf(`{"sub":"ann","exp":%d}`, time.Now().Add(lifetime).Unix())
	return "eyJhbGciOiJub25lIn0." + base64.RawURLEncoding.EncodeToString([]byte(payload)) + ".c2ln"
}

func useIDToken(c *sessionConfig) { c.Options.UseIDToken = true }

func TestNoIDTokenAtLogin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newFixture()
		_, err := w.open(t, useIDToken).Login(t.Context())
		if err == nil || !strings.Contains(err.Error(), "no id_token") {
			t.Fatalf("Login() = %v, want an error about the missing ID token", err)
		}
		if w.srv.Count(oauthtest.Revoke) != 1 {
			t.Error("the tokens were not revoked")
		}
		if _, err := w.open(t).Credential(t.Context()); !errors.Is(err, mcplogin.ErrLoginRequired) {
			t.Errorf("Credential() = %v, want ErrLoginRequired", err)
		}
	})
}

// TestRefreshWithoutIDToken: the access token never replaces the ID token. The ID
// token is used until it expires, then a sign-in is required.
func TestRefreshWithoutIDToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newFixture()
		id := idToken(10 * time.Minute)
		w.srv.Fault(oauthtest.Token, oauthtest.Fault{Status: http.StatusBadRequest, Body: `{"error":"authorization_pending"}`})
		w.respondWith(`{"access_token":"at-first","token_type":"Bearer","expires_in":60,"refresh_token":"rt-1","id_token":"` + id + `"}`)
		if c, err := w.open(t, useIDToken).Login(t.Context()); err != nil || c.Token.Access != id {
			t.Fatalf("Login() = %v", err)
		}
		time.Sleep(9*time.Minute + 30*time.Second)
		w.respondWith(`{"access_token":"at-second","token_type":"Bearer","expires_in":3600,"refresh_token":"rt-2"}`)
		for range 2 {
			token, err := w.open(t).Token(t.Context())
			if err != nil || token.Access != id {
				t.Errorf("Token() = %q, %v, want the ID token that is still valid", token.Access, err)
			}
		}
		if c, err := w.open(t).Credential(t.Context()); err != nil || c.Token.Refresh != "rt-2" {
			t.Errorf("refresh token %q, %v: the new one is lost", c.Token.Refresh, err)
		}
		time.Sleep(time.Minute)
		if _, err := w.open(t).Token(t.Context()); !errors.Is(err, mcplogin.ErrLoginRequired) || !strings.Contains(err.Error(), "no id_token") {
			t.Errorf("Token() = %v, want ErrLoginRequired with the reason", err)
		}
	})
}
