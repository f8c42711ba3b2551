package oauth_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mcp-login/mcp-login/oauth"
)

func testClient(w *fakeTransport) *oauth.Client {
	return &oauth.Client{
		HTTP: w.client(),
		Server: oauth.Server{
			Issuer: "https://as.test", TokenEndpoint: "https://as.test/token",
			DeviceAuthorizationEndpoint: "https://as.test/device", RevocationEndpoint: "https://as.test/revoke",
		},
		App: oauth.App{ID: "me"},
	}
}

func TestTokenResponses(t *testing.T) {
	t.Parallel()
	const at = `"access_token":"tok"`
	long := strings.Repeat("a", 70_000)
	for _, tt := range []struct {
		name, body string
		want       oauth.Token // except Expiry
		lifetime   time.Duration
		err        error
	}{
		{"plain", `{` + at + `,"token_type":"Bearer","expires_in":3600,"refresh_token":"r","scope":"a b","id_token":"x.y.z"}`,
			oauth.Token{Access: "tok", Type: "Bearer", Refresh: "r", Scope: "a b", ID: "x.y.z"}, time.Hour, nil},
		{"type in any case", `{` + at + `,"token_type":"bEARER"}`, oauth.Token{Access: "tok", Type: "Bearer"}, 0, nil},
		{"type missing", `{` + at + `}`, oauth.Token{Access: "tok", Type: "Bearer"}, 0, nil},
		{"DPoP without a key", `{` + at + `,"token_type":"dpop"}`, oauth.Token{}, 0, oauth.ErrAnswer},
		{"unknown type", `{` + at + `,"token_type":"mac"}`, oauth.Token{}, 0, oauth.ErrAnswer},
		{"N_A is for token exchange", `{` + at + `,"token_type":"N_A"}`, oauth.Token{}, 0, oauth.ErrAnswer},
		{"expires_in as a string", `{` + at + `,"expires_in":"3600"}`, oauth.Token{Access: "tok", Type: "Bearer"}, time.Hour, nil},
		{"expires_in as a float", `{` + at + `,"expires_in":1.5}`, oauth.Token{Access: "tok", Type: "Bearer"}, 1500 * time.Millisecond, nil},
		{"expires_in 0 is ignored", `{` + at + `,"expires_in":0}`, oauth.Token{Access: "tok", Type: "Bearer"}, 0, nil},
		{"expires_in null", `{` + at + `,"expires_in":null}`, oauth.Token{Access: "tok", Type: "Bearer"}, 0, nil},
		{"expires_in negative", `{` + at + `,"expires_in":-5}`, oauth.Token{Access: "tok", Type: "Bearer"}, 0, nil},
		{"expires_in out of range", `{` + at + `,"expires_in":1e300}`, oauth.Token{Access: "tok", Type: "Bearer"}, 10 * 365 * 24 * time.Hour, nil},
		{"scope with commas", `{` + at + `,"scope":"a,b, c"}`, oauth.Token{Access: "tok", Type: "Bearer", Scope: "a b c"}, 0, nil},
		{"scope as a list", `{` + at + `,"scope":["a","b"]}`, oauth.Token{Access: "tok", Type: "Bearer", Scope: "a b"}, 0, nil},
		{"scope as a number", `{` + at + `,"scope":5}`, oauth.Token{}, 0, oauth.ErrAnswer},
		{"scope with a quote", `{` + at + `,"scope":"a\"b"}`, oauth.Token{}, 0, oauth.ErrAnswer},
		{"Slack", `{"ok":true,"authed_user":{"access_token":"xoxp-1","token_type":"user","scope":"a,b"}}`,
			oauth.Token{Access: "xoxp-1", Type: "Bearer", Scope: "a b"}, 0, nil},
		{"Slack's fields at the top level", `{"ok":true,"access_token":"xoxb-1","token_type":"bot"}`, oauth.Token{Access: "xoxb-1", Type: "Bearer"}, 0, nil},
		{"Slack's token types in other places", `{` + at + `,"token_type":"user"}`, oauth.Token{}, 0, oauth.ErrAnswer},
		{"no access token", `{"token_type":"Bearer"}`, oauth.Token{}, 0, oauth.ErrAnswer},
		{"a line feed in the token", `{"access_token":"a\nb"}`, oauth.Token{}, 0, oauth.ErrAnswer},
		{"a space in the token", `{"access_token":"a b"}`, oauth.Token{}, 0, oauth.ErrAnswer},
		{"a token that is not ASCII", `{"access_token":"a\u00e9b"}`, oauth.Token{}, 0, oauth.ErrAnswer},
		{"DEL in the token", `{"access_token":"a\u007fb"}`, oauth.Token{}, 0, oauth.ErrAnswer},
		{"an empty token", `{"access_token":""}`, oauth.Token{}, 0, oauth.ErrAnswer},
		{"a quote in the token", `{"access_token":"a'b"}`, oauth.Token{Access: "a'b", Type: "Bearer"}, 0, nil},
		{"colons, as Cloudflare's workers-oauth-provider has them", `{"access_token":"user:grant:secret","refresh_token":"user:grant:other"}`,
			oauth.Token{Access: "user:grant:secret", Refresh: "user:grant:other", Type: "Bearer"}, 0, nil},
		{"padding", `{"access_token":"a-._~+/9=="}`, oauth.Token{Access: "a-._~+/9==", Type: "Bearer"}, 0, nil},
		{"a token too long", `{"access_token":"` + long + `"}`, oauth.Token{}, 0, oauth.ErrAnswer},
		{"a refresh token too long", `{` + at + `,"refresh_token":"` + long + `"}`, oauth.Token{}, 0, oauth.ErrAnswer},
		{"an escape in the refresh token", `{` + at + `,"refresh_token":"\u001b"}`, oauth.Token{}, 0, oauth.ErrAnswer},
		{"an invalid ID token", `{` + at + `,"id_token":"a b"}`, oauth.Token{}, 0, oauth.ErrAnswer},
		{"not JSON", `access_token=tok`, oauth.Token{}, 0, oauth.ErrAnswer},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				got, err := testClient(constant(200, tt.body)).Token(t.Context(), url.Values{"grant_type": {"x"}})
				checkErr(t, err, tt.err)
				if err != nil && strings.Contains(err.Error(), "tok\"") {
					t.Errorf("error %q contains the body", err)
				}
				if lifetime := got.Expiry.Sub(start); tt.lifetime != 0 && lifetime != tt.lifetime {
					t.Errorf("lifetime = %v, want %v", lifetime, tt.lifetime)
				}
				want(t, "Expiry.IsZero", got.Expiry.IsZero(), tt.lifetime == 0)
				got.Expiry = time.Time{}
				if got != tt.want {
					t.Errorf("token differs")
				}
			})
		})
	}
}

// TestUnusableTokenIsRevoked: an unusable token is not stored, so nothing could
// revoke it later.
func TestUnusableTokenIsRevoked(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, grant, body, revoked string }{
		{"its refresh token", "x", `{"access_token":"a b","refresh_token":"r1"}`, "r1"},
		{"only the access token", "x", `{"access_token":"a b"}`, "a b"},
		{"Slack's", "x", `{"ok":true,"authed_user":{"access_token":"a b","token_type":"user"}}`, "a b"},
		{"bound to an unknown key", "x", `{"access_token":"a","token_type":"DPoP"}`, "a"},
		{"refresh without the login's refresh token", oauth.GrantRefreshToken, `{"access_token":"a b","refresh_token":"r1"}`, ""},
		{"usable", "x", `{"access_token":"a","refresh_token":"r1"}`, ""},
	} {
		w := constant(200, tt.body)
		_, _ = testClient(w).Token(t.Context(), url.Values{"grant_type": {tt.grant}})
		if got := w.form.Get("token"); got != tt.revoked {
			t.Errorf("%s: revoked %q, want %q", tt.name, got, tt.revoked)
		}
	}
}

// TestExpiryFromSending: the server's lifetime starts when it responds, the
// client's when it sends the request: a slow response must not make a stale token
// look fresh.
func TestExpiryFromSending(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		w := &fakeTransport{handle: func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(20 * time.Second)
			fmt.Fprint(w, `{"access_token":"t","expires_in":60}`)
		}}
		got, err := testClient(w).Token(t.Context(), nil)
		checkErr(t, err, nil)
		want(t, "Expiry", got.Expiry, start.Add(time.Minute).UTC().Round(0))
	})
}

func TestClientAuthentication(t *testing.T) {
	t.Parallel()
	const id, secret = "a:b c", "s%/é"
	for _, tt := range []struct {
		name    string
		app     oauth.App
		offered []string
		method  string
	}{
		{"no secret", oauth.App{ID: id}, nil, "none"},
		{"no secret, whatever is offered", oauth.App{ID: id}, []string{"client_secret_basic"}, "none"},
		{"secret, nothing offered: RFC 8414's default", oauth.App{ID: id, Secret: secret}, nil, "basic"},
		{"secret, only post offered", oauth.App{ID: id, Secret: secret}, []string{"client_secret_post"}, "post"},
		{"secret, both offered", oauth.App{ID: id, Secret: secret}, []string{"client_secret_post", "client_secret_basic"}, "basic"},
		{"registered none", oauth.App{ID: id, Secret: secret, AuthMethod: "none"}, nil, "none"},
		{"registered post", oauth.App{ID: id, Secret: secret, AuthMethod: "client_secret_post"}, []string{"client_secret_basic"}, "post"},
		{"registered basic", oauth.App{ID: id, Secret: secret, AuthMethod: "client_secret_basic"}, nil, "basic"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := constant(200, `{"access_token":"t"}`)
			c := testClient(w)
			c.App, c.Server.TokenAuthMethods = tt.app, tt.offered
			grant := url.Values{"grant_type": {"x"}}
			_, err := c.Token(t.Context(), grant)
			checkErr(t, err, nil)
			want(t, "caller's values", len(grant), 1)
			user, pass, basic := w.last.BasicAuth()
			want(t, "Basic", basic, tt.method == "basic")
			if basic { // RFC 6749 §2.3.1
				want(t, "user", user, "a%3Ab+c")
				want(t, "password", pass, "s%25%2F%C3%A9")
			}
			want(t, "client_id in form", w.form.Has("client_id"), !basic)
			want(t, "client_secret in form", w.form.Get("client_secret") == secret, tt.method == "post")
			want(t, "Content-Type", w.last.Header.Get("Content-Type"), "application/x-www-form-urlencoded")
			want(t, "Accept", w.last.Header.Get("Accept"), "application/json")
		})
	}
	c := testClient(constant(200, "{}"))
	c.App.AuthMethod = "tls_client_auth"
	_, err := c.Token(t.Context(), nil)
	checkErr(t, err, oauth.ErrUnsupported)
}

func TestRefresh(t *testing.T) {
	t.Parallel()
	t.Run("checklist 33 and 35: resource byte for byte", testRefresh)
}

func testRefresh(t *testing.T) {
	w := constant(200, `{"access_token":"t2"}`)
	got, err := testClient(w).Refresh(t.Context(), "r1", "https://mcp.test/mcp?x=1", []string{"a", "b"})
	checkErr(t, err, nil)
	want(t, "kept refresh token", got.Refresh, "r1")
	want(t, "form", w.form.Encode(), url.Values{
		"grant_type": {"refresh_token"}, "refresh_token": {"r1"}, "client_id": {"me"}, "scope": {"a b"},
		"resource": {"https://mcp.test/mcp?x=1"},
	}.Encode())

	w = constant(200, `{"access_token":"t2","refresh_token":"r2"}`)
	got, err = testClient(w).Refresh(t.Context(), "r1", "", nil)
	checkErr(t, err, nil)
	want(t, "new refresh token", got.Refresh, "r2")
	want(t, "resource sent", w.form.Has("resource") || w.form.Has("scope"), false)
}

func TestNoEndpoint(t *testing.T) {
	t.Parallel()
	c := &oauth.Client{HTTP: &http.Client{}}
	_, err := c.Token(t.Context(), nil)
	checkErr(t, err, oauth.ErrUnsupported)
	_, err = c.AuthorizeDevice(t.Context(), nil, "", nil)
	checkErr(t, err, oauth.ErrUnsupported)
	checkErr(t, c.Revoke(t.Context(), "t", ""), oauth.ErrUnsupported)
	_, err = oauth.Register(t.Context(), c.HTTP, c.Server, oauth.ClientMetadata{}, "")
	checkErr(t, err, oauth.ErrUnsupported)
	checkErr(t, oauth.Deregister(t.Context(), c.HTTP, c.App), oauth.ErrUnsupported)
	_, err = oauth.FetchServer(t.Context(), nil, "https://as.test")
	checkErr(t, err, errAny)
}

func TestRevoke(t *testing.T) {
	t.Parallel()
	w := constant(200, "")
	checkErr(t, testClient(w).Revoke(t.Context(), "r1", oauth.HintRefreshToken), nil)
	want(t, "form", w.form.Encode(), "client_id=me&token=r1&token_type_hint=refresh_token")
	err := testClient(constant(400, `{"error":"unsupported_token_type"}`)).Revoke(t.Context(), "r1", "")
	want(t, "unsupported_token_type", oauth.IsCode(err, oauth.CodeUnsupportedTokenType), true)
	checkErr(t, testClient(constant(503, "")).Revoke(t.Context(), "r1", ""), errTemporary)
}

func TestSecretsDoNotPrint(t *testing.T) {
	t.Parallel()
	const secret = "hunter2"
	for _, v := range []any{
		oauth.Token{Access: secret, Refresh: secret, ID: secret}, oauth.App{ID: "me", Secret: secret, RegistrationToken: secret},
		oauth.DeviceAuthorization{DeviceCode: secret, UserCode: "ABCD"},
	} {
		var log strings.Builder
		slog.New(slog.NewTextHandler(&log, nil)).Info("x", "v", v)
		if text := fmt.Sprintf("%v %+v %#v %s", v, v, v, v) + log.String(); strings.Contains(text, secret) {
			t.Errorf("%T prints its secret: %s", v, text)
		}
	}
}

// FuzzToken: an accepted token fits one word of a header line, and no error
// contains the response.
func FuzzToken(f *testing.F) {
	f.Add(200, `{"access_token":"t","expires_in":"3600","scope":["a"]}`)
	f.Add(400, `{"error":"invalid_grant","error_description":"\u001b[31m","error_uri":"javascript:x"}`)
	f.Add(200, `{"ok":false,"error":"bad"}`)
	f.Fuzz(func(t *testing.T, status int, body string) {
		if status < 200 || status > 599 || status/100 == 3 {
			return
		}
		got, err := testClient(constant(status, body)).Token(t.Context(), nil)
		if err != nil {
			if strings.ContainsFunc(err.Error(), func(r rune) bool { return r < ' ' || r == 0x7f || r == 0x202e }) || len(err.Error()) > 4<<10 {
				t.Errorf("error text %q", err)
			}
			return
		}
		if got.Access == "" || strings.ContainsFunc(got.Access+got.ID, func(r rune) bool { return r < '!' || r > '~' }) {
			t.Errorf("access token %q, ID token %q was accepted", got.Access, got.ID)
		}
		if strings.ContainsAny(got.Refresh+got.ID+got.Scope, "\r\n\x00\x1b") {
			t.Error("a control character was accepted")
		}
	})
}
