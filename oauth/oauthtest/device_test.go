package oauthtest_test

import (
	"net/http"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mcp-login/mcp-login/oauth"
	"github.com/mcp-login/mcp-login/oauth/oauthtest"
)

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
		poll(10*time.Second, oauth.CodeAuthorizationPending) // exactly at the new interval
		poll(10*time.Second-1, oauth.CodeSlowDown)           // slightly too early
		_, err = c.DeviceToken(t.Context(), d.DeviceCode, "https://other.test/mcp")
		wantCode(t, err, oauth.CodeInvalidTarget)
		if !srv.DenyDevice(d.UserCode) || srv.DenyDevice(d.UserCode) || srv.ApproveDevice("nonsense") {
			t.Error("a code was approved twice")
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
		wantCode(t, err, oauth.CodeInvalidGrant) // only once
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
