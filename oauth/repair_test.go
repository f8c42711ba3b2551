package oauth_test

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/mcp-login/mcp-login/oauth"
)

// TestRegisterReadsOtherTypes: registration responses with wrong JSON types are
// still understood (laravel/mcp#85), and no error names a Go field.
func TestRegisterReadsOtherTypes(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, answer, id, secret, uris string }{
		{"a number as the client ID", `{"client_id":5}`, "5", "", ""},
		{"a large number", `{"client_id":12345678901234567890}`, "12345678901234567890", "", ""},
		{"a number as the secret", `{"client_id":"c","client_secret":7,"token_endpoint_auth_method":"client_secret_post"}`, "c", "7", ""},
		{"one string as a list", `{"client_id":"c","redirect_uris":"http://127.0.0.1/cb"}`, "c", "", "http://127.0.0.1/cb"},
		{"no usable types", `{"client_id":"c","grant_types":{},"redirect_uris":null,"registration_client_uri":false,"more":[1]}`, "c", "", ""},
		{"a number in a list", `{"client_id":"c","redirect_uris":[1,"http://127.0.0.1/cb"]}`, "c", "", "1 http://127.0.0.1/cb"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for _, status := range []int{http.StatusOK, http.StatusCreated} {
				app, err := registering(constant(status, tt.answer), oauth.ClientMetadata{})
				checkErr(t, err, nil)
				want(t, "client ID", app.ID, tt.id)
				want(t, "secret as expected", app.Secret == tt.secret, true)
				want(t, "redirect URIs", strings.Join(app.RedirectURIs, " "), tt.uris)
			}
		})
	}
	for _, answer := range []string{`{"client_id":{}}`, `{"client_id":[]}`, `{}`, `<html>`, `{"client_id":null}`} {
		_, err := registering(constant(http.StatusOK, answer), oauth.ClientMetadata{})
		checkErr(t, err, oauth.ErrAnswer)
		if err != nil && (strings.Contains(err.Error(), "App.") || strings.Contains(err.Error(), "Go struct")) {
			t.Errorf("error %q names a Go field", err)
		}
	}
}

// TestAuthenticationFallsBackOnce: the other offered authentication method is tried
// once, and kept.
func TestAuthenticationFallsBackOnce(t *testing.T) {
	t.Parallel()
	const ok = `{"access_token":"t","token_type":"Bearer"}`
	both := []string{oauth.AuthClientSecretBasic, oauth.AuthClientSecretPost}
	for _, tt := range []struct {
		name, registered string
		offered          []string
		rejection        string
		accepts          func(r *http.Request) bool
		requests         int
		kept             string
	}{
		{"client_id required in the body", oauth.AuthClientSecretBasic, both, `{"error":"invalid_client","error_description":"Missing client_id"}`,
			func(r *http.Request) bool { return r.PostForm.Has("client_id") }, 2, oauth.AuthClientSecretPost},
		{"rejected without a code", oauth.AuthClientSecretPost, both, `{}`,
			func(r *http.Request) bool { return !r.PostForm.Has("client_id") }, 2, oauth.AuthClientSecretBasic},
		{"no secret allowed", oauth.AuthClientSecretPost, []string{oauth.AuthNone}, `{"error":"invalid_request"}`,
			func(r *http.Request) bool { return !r.PostForm.Has("client_secret") }, 2, oauth.AuthNone},
		{"accepted immediately", oauth.AuthClientSecretBasic, both, "", func(*http.Request) bool { return true }, 1, oauth.AuthClientSecretBasic},
		{"never accepted", oauth.AuthClientSecretBasic, both, `{"error":"invalid_client"}`, func(*http.Request) bool { return false }, 2, oauth.AuthClientSecretBasic},
		{"another error", oauth.AuthClientSecretBasic, both, `{"error":"invalid_grant"}`, func(*http.Request) bool { return false }, 1, oauth.AuthClientSecretBasic},
		{"nothing else offered", oauth.AuthClientSecretBasic, both[:1], `{"error":"invalid_client"}`, func(*http.Request) bool { return false }, 1, oauth.AuthClientSecretBasic},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := &fakeTransport{handle: func(w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) }}
			w.handle = func(rw http.ResponseWriter, r *http.Request) {
				r.PostForm = w.form
				if !tt.accepts(r) {
					rw.WriteHeader(http.StatusUnauthorized)
					rw.Write([]byte(tt.rejection))
					return
				}
				rw.Write([]byte(ok))
			}
			c := &oauth.Client{HTTP: w.client(), Server: oauth.Server{TokenEndpoint: "https://as.test/token", TokenAuthMethods: tt.offered},
				App: oauth.App{ID: "c", Secret: "s", AuthMethod: tt.registered}}
			_, err := c.Refresh(t.Context(), "rt", "", nil)
			want(t, "requests", len(w.requests), tt.requests)
			want(t, "kept method", c.AuthMethod(), tt.kept)
			if err == nil {
				_, err = c.Refresh(t.Context(), "rt", "", nil)
				checkErr(t, err, nil)
				want(t, "requests with the new method", len(w.requests), tt.requests+1)
			}
		})
	}
}

// TestLifetimeOfAJWT: a JWT without expires_in expires at its exp claim, by the
// server's clock.
func TestLifetimeOfAJWT(t *testing.T) {
	t.Parallel()
	serverNow := time.Date(2031, 1, 2, 3, 4, 5, 0, time.UTC) // the server's clock is years ahead
	jwt := func(claims string) string {
		return "e30." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + ".c2ln"
	}
	for _, tt := range []struct {
		name, answer string
		lifetime     time.Duration // 0: unknown
	}{
		{"exp", `{"access_token":"` + jwt(`{"exp":1925089745}`) + `"}`, 300 * time.Second},
		{"expires_in before exp", `{"access_token":"` + jwt(`{"exp":1925089745}`) + `","expires_in":60}`, time.Minute},
		{"expires_in 0", `{"access_token":"` + jwt(`{"exp":1925089745}`) + `","expires_in":0}`, 300 * time.Second},
		{"an exp in the past", `{"access_token":"` + jwt(`{"exp":1925080000}`) + `"}`, 0},
		{"no exp", `{"access_token":"` + jwt(`{}`) + `"}`, 0},
		{"not a JWT", `{"access_token":"a.b.c"}`, 0},
		{"a lifetime out of range", `{"access_token":"t","expires_in":1e300}`, 10 * 365 * 24 * time.Hour},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := &fakeTransport{handle: func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Date", serverNow.Format(http.TimeFormat))
				w.Write([]byte(tt.answer))
			}}
			c := &oauth.Client{HTTP: w.client(), Server: oauth.Server{TokenEndpoint: "https://as.test/token"}, App: oauth.App{ID: "c"}}
			token, err := c.Refresh(t.Context(), "rt", "", nil)
			checkErr(t, err, nil)
			if tt.lifetime == 0 {
				want(t, "expiry known", token.Expiry.IsZero(), true)
				return
			}
			if lifetime := time.Until(token.Expiry); lifetime > tt.lifetime || lifetime < tt.lifetime-time.Minute {
				t.Errorf("lifetime %s, want %s", lifetime, tt.lifetime)
			}
		})
	}
}
