package oauth_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mcp-login/mcp-login/oauth"
)

func TestAuthorizeDevice(t *testing.T) {
	t.Parallel()
	const base = `"device_code":"d","user_code":"ABCD-EFGH"`
	const uri = `,"verification_uri":"https://as.test/device"`
	for _, tt := range []struct {
		name, body string
		want       oauth.DeviceAuthorization // without Expiry and DeviceCode
		lifetime   time.Duration
		err        error
	}{
		{"RFC 8628 §3.2", `{` + base + uri + `,"verification_uri_complete":"https://as.test/device?c=ABCD-EFGH","expires_in":600,"interval":7}`,
			oauth.DeviceAuthorization{VerificationURIComplete: "https://as.test/device?c=ABCD-EFGH", Interval: 7 * time.Second}, 10 * time.Minute, nil},
		{"interval missing, complete missing, expires_in missing", `{` + base + uri + `}`,
			oauth.DeviceAuthorization{Interval: 5 * time.Second}, 15 * time.Minute, nil},
		{"numbers as strings", `{` + base + uri + `,"expires_in":"600","interval":"2"}`, oauth.DeviceAuthorization{Interval: 2 * time.Second}, 10 * time.Minute, nil},
		{"interval 0", `{` + base + uri + `,"interval":0}`, oauth.DeviceAuthorization{Interval: 5 * time.Second}, 15 * time.Minute, nil},
		{"interval below a second", `{` + base + uri + `,"interval":0.1}`, oauth.DeviceAuthorization{Interval: time.Second}, 15 * time.Minute, nil},
		{"numbers out of range", `{` + base + uri + `,"expires_in":1e15,"interval":1e15}`, oauth.DeviceAuthorization{Interval: 5 * time.Minute}, 24 * time.Hour, nil},
		{"Google", `{` + base + `,"verification_url":"https://as.test/device","expires_in":600}`, oauth.DeviceAuthorization{Interval: 5 * time.Second}, 10 * time.Minute, nil},
		{"verification_uri_complete on another host is dropped", `{` + base + uri + `,"verification_uri_complete":"https://evil.test/device?c=x"}`,
			oauth.DeviceAuthorization{Interval: 5 * time.Second}, 15 * time.Minute, nil},
		{"verification_uri_complete over http is dropped", `{` + base + uri + `,"verification_uri_complete":"http://as.test/device?c=x"}`,
			oauth.DeviceAuthorization{Interval: 5 * time.Second}, 15 * time.Minute, nil},
		{"no device code", `{"user_code":"A"` + uri + `}`, oauth.DeviceAuthorization{}, 0, oauth.ErrAnswer},
		{"no user code", `{"device_code":"d"` + uri + `}`, oauth.DeviceAuthorization{}, 0, oauth.ErrAnswer},
		{"an escape in the user code", `{"device_code":"d","user_code":"\u001b]8;;x"` + uri + `}`, oauth.DeviceAuthorization{}, 0, oauth.ErrAnswer},
		{"a bidi override in the user code", `{"device_code":"d","user_code":"A\u202eB"` + uri + `}`, oauth.DeviceAuthorization{}, 0, oauth.ErrAnswer},
		{"a user code too long", `{"device_code":"d","user_code":"` + strings.Repeat("A", 65) + `"` + uri + `}`, oauth.DeviceAuthorization{}, 0, oauth.ErrAnswer},
		{"no verification URI", `{` + base + `}`, oauth.DeviceAuthorization{}, 0, oauth.ErrAnswer},
		{"a script as verification URI", `{` + base + `,"verification_uri":"javascript:alert(1)"}`, oauth.DeviceAuthorization{}, 0, oauth.ErrAnswer},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				got, err := testClient(constant(200, tt.body)).AuthorizeDevice(t.Context(), nil, "", nil)
				checkErr(t, err, tt.err)
				if err != nil {
					return
				}
				want(t, "lifetime", got.Expiry.Sub(start), tt.lifetime)
				want(t, "Interval", got.Interval, tt.want.Interval)
				want(t, "UserCode", got.UserCode, "ABCD-EFGH")
				want(t, "VerificationURI", got.VerificationURI, "https://as.test/device")
				want(t, "VerificationURIComplete", got.VerificationURIComplete, tt.want.VerificationURIComplete)
			})
		})
	}
}

func TestDeviceRequests(t *testing.T) {
	t.Parallel()
	w := constant(400, `{"error":"unauthorized_client"}`)
	c := testClient(w)
	_, err := c.AuthorizeDevice(t.Context(), []string{"a", "b"}, "https://mcp.test", url.Values{"audience": {"x"}})
	want(t, "unauthorized_client", oauth.IsCode(err, oauth.CodeUnauthorizedClient), true)
	want(t, "form", w.form.Encode(), "audience=x&client_id=me&resource=https%3A%2F%2Fmcp.test&scope=a+b")

	for _, status := range []int{200, 400, 401, 403, 428, 500} {
		w := constant(status, `{"error":"authorization_pending"}`)
		_, err := testClient(w).DeviceToken(t.Context(), "d", "https://mcp.test")
		want(t, fmt.Sprint("pending with ", status), oauth.IsCode(err, oauth.CodeAuthorizationPending), true)
		want(t, "form", w.form.Encode(), "client_id=me&device_code=d&grant_type="+url.QueryEscape(oauth.GrantDeviceCode)+"&resource=https%3A%2F%2Fmcp.test")
	}
}

func TestUserAgentEverywhere(t *testing.T) {
	t.Parallel()
	w := &fakeTransport{handle: func(w http.ResponseWriter, r *http.Request) {
		want(t, r.Method, r.Header.Get("User-Agent"), "mcp-login")
	}}
	c := testClient(w)
	c.Token(t.Context(), nil)
	c.Revoke(t.Context(), "t", "")
	oauth.FetchServer(t.Context(), w.client(), "https://as.test")
	oauth.Register(t.Context(), w.client(), oauth.Server{RegistrationEndpoint: "https://as.test/r"}, oauth.ClientMetadata{}, "")
	want(t, "requests", len(w.requests), 5)
}
