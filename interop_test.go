package mcplogin_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/modelcontextprotocol/go-sdk/auth"

	"github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/oauth/oauthtest"
)

var _ auth.OAuthHandler = (*mcplogin.Session)(nil)

func post(t *testing.T, url, body string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "POST", url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return req
}

// requestRecorder responds with 200 and records the requests.
type requestRecorder struct{ requests []*http.Request }

func (r *requestRecorder) RoundTrip(req *http.Request) (*http.Response, error) {
	r.requests = append(r.requests, req)
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: http.NoBody, Request: req}, nil
}

// TestTransportSendsTokenOnlyToItsOrigin: Checklist 37: a token is not sent
// to another origin.
func TestTransportSendsTokenOnlyToItsOrigin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := loggedIn(t, time.Hour)
		for _, tt := range []struct {
			url  string
			sent bool
		}{
			{server, true},
			{"https://mcp.test/other", true},
			{"https://mcp.test:443/mcp", true},
			{"HTTPS://MCP.test/mcp", true},
			{"http://mcp.test/mcp", false},
			{"https://mcp.test:8443/mcp", false},
			{"https://mcp.test.evil.test/mcp", false},
			{"https://sub.mcp.test/mcp", false},
			{"https://evil.test/https://mcp.test/mcp", false},
		} {
			var r requestRecorder
			resp, err := w.open(t).Transport(&r).RoundTrip(post(t, tt.url, ""))
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if sent := r.requests[0].Header.Get("Authorization") != ""; sent != tt.sent {
				t.Errorf("%s: token sent = %v, want %v", tt.url, sent, tt.sent)
			}
		}
	})
}

// TestTransportRefreshesOnceOnRejection: Checklist 40: a 401 causes one refresh and
// one retry, even if the token has not expired.
func TestTransportRefreshesOnceOnRejection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := loggedIn(t, time.Hour)
		w.srv.Fault(oauthtest.MCP, oauthtest.Fault{Status: http.StatusUnauthorized})
		resp, err := w.open(t).Transport(w.srv).RoundTrip(post(t, server, "body"))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode == http.StatusUnauthorized || w.srv.Grants(grantRefresh) != 1 {
			t.Errorf("status %d after %d refreshes, want success after 1", resp.StatusCode, w.srv.Grants(grantRefresh))
		}

		w.srv.Fault(oauthtest.MCP, oauthtest.Fault{Times: 2, Status: http.StatusUnauthorized})
		resp, err = w.open(t).Transport(w.srv).RoundTrip(post(t, server, "body"))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusUnauthorized || w.srv.Grants(grantRefresh) != 2 {
			t.Errorf("rejected twice: status %d after %d refreshes, want 401 after 1 more", resp.StatusCode, w.srv.Grants(grantRefresh)-1)
		}
	})
}

func TestTransportReturnsA401ItCannotRetry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := loggedIn(t, time.Hour)
		w.srv.Fault(oauthtest.MCP, oauthtest.Fault{Status: http.StatusUnauthorized})
		req := post(t, server, "")
		req.Body, req.GetBody = io.NopCloser(bytes.NewBufferString("once")), nil
		resp, err := w.open(t).Transport(w.srv).RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusUnauthorized {
			t.Errorf("status %d, want the server's 401", resp.StatusCode)
		}
	})
}

func TestTransportNeverPrompts(t *testing.T) {
	w := newFixture()
	_, err := w.open(t).Transport(w.srv).RoundTrip(post(t, server, "body"))
	if !errors.Is(err, mcplogin.ErrLoginRequired) {
		t.Errorf("RoundTrip() = %v, want ErrLoginRequired", err)
	}
	if n := w.srv.Count(oauthtest.DeviceAuth); n != 0 {
		t.Errorf("%d device codes were requested", n)
	}
}

func TestAuthorizeAnswersTheSDK(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := loggedIn(t, time.Hour)
		s := w.open(t)
		source, err := s.TokenSource(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		first, err := source.Token()
		if err != nil {
			t.Fatal(err)
		}
		req := post(t, server, "")
		first.SetAuthHeader(req)
		rejected := &http.Response{StatusCode: 401, Header: http.Header{}, Body: http.NoBody}
		if err := s.Authorize(t.Context(), req, rejected); err != nil {
			t.Fatal(err)
		}
		second, err := source.Token()
		if err != nil || second.AccessToken == first.AccessToken {
			t.Errorf("after Authorize: %v, same token %v", err, second.AccessToken == first.AccessToken)
		}

		forbidden := &http.Response{StatusCode: 403, Body: http.NoBody, Header: http.Header{
			"Www-Authenticate": {`Bearer error="insufficient_scope", scope="mcp:read mcp:admin"`},
		}}
		var scope *mcplogin.InsufficientScopeError
		if err := s.Authorize(t.Context(), req, forbidden); !errors.As(err, &scope) || strings.Join(scope.Scopes, " ") != "mcp:read mcp:admin" {
			t.Errorf("Authorize(403) = %v, want *InsufficientScopeError with the challenge's scopes", err)
		}
	})
}
