package oauth_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mcp-login/mcp-login/oauth"
)

func TestErrorResponses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		status int
		body   string
		code   string
		text   string
	}{
		{"RFC 6749", 400, `{"error":"invalid_grant","error_description":"gone","error_uri":"https://as.test/why"}`,
			"invalid_grant", "https://as.test/token answered invalid_grant: gone (HTTP 400), see https://as.test/why"},
		{"only a code", 401, `{"error":"invalid_client"}`, "invalid_client", "https://as.test/token answered invalid_client (HTTP 401)"},
		{"unusual status", 403, `{"error":"authorization_pending"}`, "authorization_pending", "https://as.test/token answered authorization_pending (HTTP 403)"},
		{"200 with an error", 200, `{"error":"bad_verification_code"}`, "bad_verification_code", "https://as.test/token answered bad_verification_code (HTTP 200)"},
		{"Slack", 200, `{"ok":false,"error":"invalid_code"}`, "invalid_code", "https://as.test/token answered invalid_code (HTTP 200)"},
		{"an error status without a code", 200, `{"ok":false}`, "", "https://as.test/token answered HTTP 200 with application/json"},
		{"hostile texts", 400, `{"error":"x\u001b[31m","error_description":"a\u202eb\nc` + strings.Repeat("d", 400) + `","error_uri":"javascript:alert(1)"}`,
			"x[31m", "https://as.test/token answered x[31m: ab c" + strings.Repeat("d", 296) + " (HTTP 400)"},
		{"not JSON", 502, `<html>secret</html>`, "", "https://as.test/token answered HTTP 502 with application/json"},
		{"other JSON", 400, `{"error":{"message":"secret"}}`, "", "https://as.test/token answered HTTP 400 with application/json"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := testClient(constant(tt.status, tt.body)).Token(t.Context(), nil)
			e, ok := errors.AsType[*oauth.Error](err)
			if !ok {
				t.Fatalf("error = %v, want an *Error", err)
			}
			want(t, "Code", e.Code, tt.code)
			want(t, "Status", e.Status, tt.status)
			want(t, "text", e.Error(), tt.text)
		})
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		header string
		want   time.Duration
	}{
		{"", 0}, {"7", 7 * time.Second}, {"-7", 0}, {"999999999999999999999", 0}, {"99999999", time.Hour}, {"soon", 0},
		{"Sat, 01 Jan 2000 00:00:30 GMT", 30 * time.Second}, {"Sat, 01 Jan 2000 00:00:00 GMT", 0}, {"Sat, 01 Jan 2050 00:00:00 GMT", time.Hour},
	} {
		synctest.Test(t, func(t *testing.T) { // midnight UTC 2000-01-01, where synctest bubbles begin
			w := site(map[string]page{"https://as.test/token": {status: 429, header: http.Header{"Retry-After": {tt.header}}}})
			_, err := testClient(w).Token(t.Context(), nil)
			e, ok := errors.AsType[*oauth.Error](err)
			if !ok || e.RetryAfter != tt.want {
				t.Errorf("Retry-After %q: %+v, want %v", tt.header, e, tt.want)
			}
		})
	}
}

func TestTemporary(t *testing.T) {
	t.Parallel()
	inURL := func(err error) error { return &url.Error{Op: "Post", URL: "https://as.test", Err: err} }
	for _, tt := range []struct {
		err  error
		want bool
	}{
		{nil, false},
		{errors.New("x"), false},
		{&oauth.Error{Status: 500}, true},
		{&oauth.Error{Status: 503, Code: "whatever"}, true},
		{&oauth.Error{Status: 501}, false},
		{&oauth.Error{Status: 429}, true},
		{&oauth.Error{Status: 408}, true},
		{&oauth.Error{Status: 404}, false},
		{&oauth.Error{Status: 400, Code: oauth.CodeInvalidGrant}, false},
		{&oauth.Error{Status: 500, Code: oauth.CodeInvalidGrant}, false},
		{&oauth.Error{Status: 400, Code: oauth.CodeTemporarilyUnavailable}, true},
		{&oauth.Error{Status: 400, Code: oauth.CodeServerError}, true},
		{fmt.Errorf("refresh: %w", &oauth.Error{Status: 502}), true},
		{inURL(&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}), true},
		{inURL(&net.DNSError{IsNotFound: true}), true},
		{inURL(io.ErrUnexpectedEOF), true},
		{inURL(context.DeadlineExceeded), true},
		{context.DeadlineExceeded, true},
		{inURL(context.Canceled), false},
		{&os.PathError{Op: "write", Path: "/dev/stdout", Err: syscall.ENOSPC}, false},
		{inURL(&tls.CertificateVerificationError{Err: errors.New("expired")}), false},
		{inURL(http.ErrSchemeMismatch), false},
		{inURL(&oauth.AddressError{Addr: netip.MustParseAddr("10.0.0.1")}), false},
		{inURL(&oauth.URLError{}), false},
		{inURL(&oauth.RedirectError{}), false},
		{oauth.ErrAnswer, false},
		{oauth.ErrIssuer, false},
	} {
		if got := oauth.Temporary(tt.err); got != tt.want {
			t.Errorf("Temporary(%v) = %v, want %v", tt.err, got, tt.want)
		}
	}
}

// TestBrokenBody: an incomplete body is a network fault, not an invalid response.
func TestBrokenBody(t *testing.T) {
	t.Parallel()
	c := testClient(nil)
	c.HTTP = &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		body := io.NopCloser(io.MultiReader(strings.NewReader(`{"access_`), brokenBody{}))
		return &http.Response{StatusCode: 200, Header: http.Header{}, Body: body, Request: r}, nil
	})}
	_, err := c.Token(t.Context(), nil)
	checkErr(t, err, errTemporary)
	checkErr(t, err, io.ErrUnexpectedEOF)
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

type brokenBody struct{}

func (brokenBody) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
