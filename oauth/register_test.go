package oauth_test

import (
	"context"
	"fmt"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/mcp-login/mcp-login/oauth"
)

func registering(w *fakeTransport, m oauth.ClientMetadata, offered ...string) (oauth.App, error) {
	s := oauth.Server{RegistrationEndpoint: "https://as.test/register", TokenAuthMethods: offered}
	return oauth.Register(context.Background(), w.client(), s, m, "")
}

func TestRegister(t *testing.T) {
	t.Parallel()
	w := constant(201, `{"client_id":"c","client_secret":"s","client_secret_expires_at":"4102444800","token_endpoint_auth_method":"client_secret_post",
		"grant_types":["refresh_token"],"redirect_uris":["http://127.0.0.1/cb"],"registration_client_uri":"https://as.test/register/c","registration_access_token":"h"}`)
	s := oauth.Server{RegistrationEndpoint: "https://as.test/register"}
	app, err := oauth.Register(t.Context(), w.client(), s, oauth.ClientMetadata{
		ClientName: "n", GrantTypes: []string{oauth.GrantDeviceCode, oauth.GrantRefreshToken}}, "iat")
	checkErr(t, err, nil)
	wantApp := oauth.App{ID: "c", Secret: "s", SecretExpiry: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC),
		AuthMethod: "client_secret_post", GrantTypes: []string{"refresh_token"}, RedirectURIs: []string{"http://127.0.0.1/cb"},
		RegistrationURI: "https://as.test/register/c", RegistrationToken: "h"}
	if !reflect.DeepEqual(app, wantApp) {
		t.Error("app differs from the response")
	}
	t.Run("checklist 17: application_type, checklist 39: refresh_token", func(t *testing.T) {
		const sent = `{"client_name":"n","application_type":"native","grant_types":["urn:ietf:params:oauth:grant-type:device_code","refresh_token"],"token_endpoint_auth_method":"none"}`
		want(t, "body", w.body, sent)
	})
	want(t, "Authorization", w.last.Header.Get("Authorization"), "Bearer iat")
	want(t, "Content-Type", w.last.Header.Get("Content-Type"), "application/json")
}

func TestRegisterAuthMethod(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name      string
		offered   []string
		answer    string
		requested string
		got       string
		secret    string
	}{
		{"method none is preferred", []string{"client_secret_basic", "none"}, `{"client_id":"c"}`, "none", "none", ""},
		{"basic before post", []string{"client_secret_post", "client_secret_basic"}, `{"client_id":"c","client_secret":"s"}`, "client_secret_basic", "client_secret_basic", "s"},
		{"only post", []string{"client_secret_post"}, `{"client_id":"c","client_secret":"s"}`, "client_secret_post", "client_secret_post", "s"},
		{"an unrequested secret is sent", []string{"none"}, `{"client_id":"c","client_secret":"s"}`, "none", "client_secret_post", "s"},
		{"a secret with method none is sent", nil, `{"client_id":"c","client_secret":"s","token_endpoint_auth_method":"none"}`, "none", "client_secret_post", "s"},
		{"the response contradicts the metadata", []string{"none"}, `{"client_id":"c","client_secret":"s","token_endpoint_auth_method":"client_secret_basic"}`, "none", "client_secret_post", "s"},
		{"the response decides", []string{"none", "client_secret_post"}, `{"client_id":"c","client_secret":"s","token_endpoint_auth_method":"client_secret_post"}`, "none", "client_secret_post", "s"},
		{"no method, but a secret", nil, `{"client_id":"c","client_secret":"s"}`, "none", "client_secret_basic", "s"},
		{"a method that needs a secret, but no secret", nil, `{"client_id":"c","token_endpoint_auth_method":"client_secret_basic"}`, "none", "none", ""},
		{"no supported method is offered", []string{"tls_client_auth"}, `{"client_id":"c"}`, "none", "none", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := constant(201, tt.answer)
			app, err := registering(w, oauth.ClientMetadata{}, tt.offered...)
			checkErr(t, err, nil)
			want(t, "requested method", strings.Contains(w.body, `"token_endpoint_auth_method":"`+tt.requested+`"`), true)
			want(t, "AuthMethod", app.AuthMethod, tt.got)
			want(t, "Secret kept", app.Secret == tt.secret, true)
		})
	}
	_, err := registering(constant(201, `{"client_id":"c","token_endpoint_auth_method":"tls_client_auth"}`), oauth.ClientMetadata{})
	checkErr(t, err, oauth.ErrUnsupported)
}

func TestRegisterRejected(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		status int
		body   string
		text   string
	}{
		{"checklist 18: redirect URI", 400, `{"error":"invalid_redirect_uri"}`, "does not accept this redirect URI"},
		{"checklist 18: metadata", 400, `{"error":"invalid_client_metadata","error_description":"no device"}`, "no device"},
		{"no initial access token", 401, `{"error":"invalid_token"}`, "initial access token"},
		{"forbidden", 403, ``, "initial access token"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := registering(constant(tt.status, tt.body), oauth.ClientMetadata{})
			if err == nil || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("error = %v, want one with %q", err, tt.text)
			}
		})
	}
	for _, body := range []string{`{}`, `{"client_id":""}`, `{"client_id":"a\nb"}`, `{"client_id":"a","client_secret":"\u001b"}`, `[]`, `{"client_id":{}}`} {
		_, err := registering(constant(201, body), oauth.ClientMetadata{})
		checkErr(t, err, oauth.ErrAnswer)
	}
}

func TestRegisterDropsBadHandle(t *testing.T) {
	t.Parallel()
	w := constant(201, `{"client_id":"c","client_secret_expires_at":0,"registration_client_uri":"http://as.test/r","registration_access_token":"h"}`)
	app, err := registering(w, oauth.ClientMetadata{RedirectURIs: []string{"http://127.0.0.1/cb"}})
	checkErr(t, err, nil)
	want(t, "handle", app.RegistrationURI+app.RegistrationToken, "")
	want(t, "SecretExpiry", app.SecretExpiry.IsZero(), true)
	want(t, "RedirectURIs", strings.Join(app.RedirectURIs, " "), "http://127.0.0.1/cb")
}

func TestDeregister(t *testing.T) {
	t.Parallel()
	app := oauth.App{ID: "c", RegistrationURI: "https://as.test/r/c", RegistrationToken: "h"}
	w := constant(http.StatusNoContent, "")
	checkErr(t, oauth.Deregister(t.Context(), w.client(), app), nil)
	want(t, "request", w.requests[0], "DELETE https://as.test/r/c")
	want(t, "Authorization", w.last.Header.Get("Authorization"), "Bearer h")
	err := oauth.Deregister(t.Context(), constant(401, `{"error":"invalid_token"}`).client(), app)
	want(t, "rejected", oauth.IsCode(err, oauth.CodeInvalidToken), true)
	checkErr(t, oauth.Deregister(t.Context(), constant(500, "").client(), app), errTemporary)
}

// TestRegisterRetriesOtherForms: a registration that is rejected because of a field
// on which servers disagree is sent in each other valid form once.
func TestRegisterRetriesOtherForms(t *testing.T) {
	t.Parallel()
	device := oauth.ClientMetadata{
		GrantTypes: []string{oauth.GrantDeviceCode}, ResponseTypes: []string{}, RedirectURIs: []string{}, Scope: "a b",
	}
	browser := oauth.ClientMetadata{GrantTypes: []string{oauth.GrantAuthorizationCode}, RedirectURIs: []string{"http://127.0.0.1:1/cb"}, Scope: "a"}
	const empty, missing, loopback, scope = `"redirect_uris":[]`, "-redirect_uris", `"redirect_uris":["http://127.0.0.1/callback"]`, `"scope":"a b"`
	refusals := func(r ...string) []string { return r }
	for _, tt := range []struct {
		name     string
		m        oauth.ClientMetadata
		refusals []string // then it succeeds
		sent     []string // members of the last request; with -, absent ones
		requests int
	}{
		{"accepted", device, nil, []string{empty, scope}, 1},
		{"empty list rejected", device, refusals(`400 {"error":"invalid_redirect_uri"}`), []string{missing, scope}, 2},
		{"empty list rejected without an OAuth code", device, refusals(`400 {"code":"VALIDATION_ERROR","message":"[body.redirect_uris] Too small: expected array to have >=1 items"}`), []string{missing, scope}, 2},
		{"missing list rejected without an OAuth code", device, refusals(`400 {"message":"[body.redirect_uris] bad"}`, `422 {"message":"bad request"}`), []string{loopback, scope}, 3},
		{"missing list rejected too", device, refusals(`400 {"error":"invalid_redirect_uri"}`, `400 {"error":"invalid_client_metadata","error_description":"redirect_uris is required"}`), []string{loopback, scope}, 3},
		{"scope rejected", device, refusals(`400 {"error":"invalid_scope"}`), []string{empty, "-scope"}, 2},
		{"scope rejected by name", device, refusals(`400 {"error":"invalid_client_metadata","error_description":"Scope must be known"}`), []string{empty, "-scope"}, 2},
		{"scope rejected by a policy", browser, refusals(`403 {"error":"insufficient_scope","error_description":"Policy 'Allowed Client Scopes' rejected request"}`), []string{`127.0.0.1:1`, "-scope"}, 2},
		{"no field named", device, refusals(`400 {"error":"invalid_client_metadata"}`, `400 {"error":"invalid_client_metadata"}`, `400 {"error":"invalid_client_metadata"}`), []string{loopback, "-scope"}, 4},
		{"never accepted", device, refusals(`400 {"error":"invalid_client_metadata"}`, `400 {"error":"invalid_client_metadata"}`, `400 {"error":"invalid_client_metadata"}`, `400 {"error":"invalid_client_metadata"}`), nil, 4},
		{"the caller's redirect URI is kept", browser, refusals(`400 {"error":"invalid_redirect_uri"}`), nil, 1},
		{"no retry if the client is rejected", device, refusals(`401 {"error":"invalid_token","error_description":"no scope"}`), nil, 1},
		{"no retry if the server is down", device, refusals(`503 {"error":"invalid_client_metadata"}`), nil, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			left := tt.refusals
			w := &fakeTransport{handle: func(w http.ResponseWriter, _ *http.Request) {
				status, body := "201", `{"client_id":"c","scope":"a"}`
				if len(left) > 0 {
					status, body, _ = strings.Cut(left[0], " ")
					left = left[1:]
				}
				code, _ := strconv.Atoi(status)
				w.WriteHeader(code)
				fmt.Fprint(w, body)
			}}
			app, err := registering(w, tt.m)
			want(t, "requests", len(w.requests), tt.requests)
			if (err == nil) != (tt.sent != nil) {
				t.Errorf("error = %v", err)
			}
			for _, piece := range tt.sent {
				name, absent := strings.CutPrefix(piece, "-")
				want(t, piece+" in "+w.body, strings.Contains(w.body, name), !absent)
			}
			want(t, "registered scope", app.Scope == "a", err == nil)
		})
	}
}
