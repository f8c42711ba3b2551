package mcplogin_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/oauth"
	"github.com/mcp-login/mcp-login/oauth/oauthtest"
	"github.com/mcp-login/mcp-login/secrets"
)

// newNonces requires another nonce each time, at an endpoint of the server.
type newNonces struct {
	*oauthtest.Server
	path   string
	status int
	posts  int
}

func (n *newNonces) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Path != n.path || req.Header.Get("DPoP") == "" {
		return n.Server.RoundTrip(req)
	}
	n.posts++
	if req.Body != nil {
		req.Body.Close()
	}
	return &http.Response{
		StatusCode: n.status, Request: req, Body: io.NopCloser(strings.NewReader(`{"error":"use_dpop_nonce"}`)),
		Header: http.Header{
			"Dpop-Nonce": {fmt.Sprint("nonce-", n.posts)}, "Content-Type": {"application/json"},
			"Www-Authenticate": {`DPoP error="use_dpop_nonce"`},
		},
	}, nil
}

// TestFreshNoncesDoNotLoop: if a server requires a new nonce after each request,
// there is only one retry.
func TestFreshNoncesDoNotLoop(t *testing.T) {
	for _, tt := range []struct {
		path   string
		status int
	}{{"/mcp", http.StatusUnauthorized}, {"/token", http.StatusBadRequest}, {"/token", http.StatusUnauthorized}} {
		t.Run(fmt.Sprint(tt.path, " ", tt.status), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newFixture()
				w.srv.Tokens.TTL = time.Hour
				w.srv.Proofs = oauthtest.Proofs{Required: true}
				if _, err := w.open(t).Login(t.Context()); err != nil {
					t.Fatal(err)
				}
				n := &newNonces{Server: w.srv, path: tt.path, status: tt.status}
				s := w.open(t, func(c *sessionConfig) {
					c.HTTP = func(string) *http.Client { return &http.Client{Transport: n} }
				})
				if tt.path == "/token" {
					if _, err := s.Refresh(t.Context()); err == nil {
						t.Error("the refresh succeeded")
					}
				} else {
					resp, err := s.Transport(n).RoundTrip(post(t, server, "body"))
					if err != nil || resp.StatusCode != tt.status {
						t.Fatalf("RoundTrip() = %v, %v, want the server's own %d", resp, err, tt.status)
					}
					resp.Body.Close()
				}
				if n.posts != 2 {
					t.Errorf("%d requests, want one with one retry", n.posts)
				}
			})
		})
	}
}

// closeRecorder records that a body was closed.
type closeRecorder struct {
	io.Reader
	closed bool
}

func (c *closeRecorder) Close() error {
	c.closed = true
	return nil
}

// TestTransportClosesBodies: a request body is closed whatever happens: otherwise
// the caller's connection or file would stay open.
func TestTransportClosesBodies(t *testing.T) {
	bound, err := json.Marshal(mcplogin.Credential{
		Version: 1, Profile: "p", Server: server, Issuer: oauth.Server{Issuer: "https://mcp.test", TokenEndpoint: "https://mcp.test/token"},
		App: oauth.App{ID: "c"}, Token: oauth.Token{Access: "a", Type: "DPoP"}, // and no key
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, store := range map[string]func(secrets.Store) error{
		"no credential":     func(secrets.Store) error { return nil },
		"a key is missing":  func(s secrets.Store) error { _, err := s.Put(t.Context(), "p", bound, secrets.Any); return err },
		"unreadable record": func(s secrets.Store) error { _, err := s.Put(t.Context(), "p", []byte("x"), secrets.Any); return err },
	} {
		for _, server := range []string{server, ""} {
			w := newFixture()
			if err := store(w.store); err != nil {
				t.Fatal(err)
			}
			body := &closeRecorder{Reader: strings.NewReader("body")}
			req := post(t, "https://mcp.test/mcp", "")
			req.Body, req.GetBody = body, nil
			_, err := w.open(t, func(c *sessionConfig) { c.Server = server }).Transport(nil).RoundTrip(req)
			if err == nil || !body.closed {
				t.Errorf("%s: error %v, body closed: %t", name, err, body.closed)
			}
		}
	}
}

// TestResponsesAreClosedWhenAuthorizeFails: the response body is closed by Authorize,
// and by a Transport that returns an error.
func TestResponsesAreClosedWhenAuthorizeFails(t *testing.T) {
	w := newFixture()
	s := w.open(t)
	for _, status := range []int{400, 401, 403, 500} {
		body := &closeRecorder{Reader: strings.NewReader("no")}
		resp := &http.Response{StatusCode: status, Header: http.Header{}, Body: body}
		if err := s.Authorize(t.Context(), post(t, server, ""), resp); err == nil || !body.closed {
			t.Errorf("%d: Authorize() = %v, body closed: %t", status, err, body.closed)
		}
	}

	w = loggedIn(t, time.Hour)
	w.srv.RevokeAll()
	body := &closeRecorder{Reader: strings.NewReader("no")}
	reject := roundTripper(func(r *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 401, Header: http.Header{}, Body: body, Request: r}, nil
	})
	if _, err := w.open(t).Transport(reject).RoundTrip(post(t, server, "body")); !errors.Is(err, mcplogin.ErrLoginRequired) || !body.closed {
		t.Errorf("RoundTrip() = %v, body closed: %t", err, body.closed)
	}
}

// TestRejectedTokenIsReportedAsValid: if the server rejects a token that has not
// expired and cannot be refreshed, the error says so, because a login would keep
// it.
func TestRejectedTokenIsReportedAsValid(t *testing.T) {
	for _, expired := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			w := newFixture()
			w.srv.Tokens = oauthtest.Tokens{TTL: time.Hour, NoRefresh: true}
			s := w.open(t)
			if _, err := s.Login(t.Context()); err != nil {
				t.Fatal(err)
			}
			w.srv.RevokeAll()
			if expired {
				time.Sleep(2 * time.Hour)
			}
			_, err := s.Transport(w.srv).RoundTrip(post(t, server, ""))
			login, ok := errors.AsType[*mcplogin.LoginRequiredError](err)
			if !ok || login.Valid == expired {
				t.Errorf("expired %v: %+v, %v", expired, login, err)
			}
		})
	}
}

// TestTransportIsGuarded: a program without a custom transport gets the guarded
// one.
func TestTransportIsGuarded(t *testing.T) {
	w := loggedIn(t, time.Hour)
	s := w.open(t, func(c *sessionConfig) { c.HTTP = oauth.Guard{Server: "https://mcp.test"}.Clients() })
	private := httptest.NewServer(http.NotFoundHandler())
	defer private.Close()
	_, err := s.Transport(nil).RoundTrip(post(t, private.URL, ""))
	if _, ok := errors.AsType[*oauth.AddressError](err); !ok {
		t.Errorf("a request to a private address: %v, want an *AddressError", err)
	}
}
