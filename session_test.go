package mcplogin_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/flows"
	"github.com/mcp-login/mcp-login/flows/device"
	"github.com/mcp-login/mcp-login/oauth"
	"github.com/mcp-login/mcp-login/oauth/oauthtest"
	"github.com/mcp-login/mcp-login/secrets"
)

const server = "https://mcp.test/mcp"

// silentPrompt is a prompt without a user: the fake server approves.
type silentPrompt struct{}

func (silentPrompt) ShowCode(context.Context, device.Code) {}

// fixture is a fake server and a store that sessions share.
type fixture struct {
	srv   *oauthtest.Server
	store secrets.Store
}

func newFixture() *fixture {
	return &fixture{
		srv:   &oauthtest.Server{Device: oauthtest.Device{AutoApprove: 1}},
		store: &secrets.Memory{},
	}
}

// sessionConfig is the configuration of a session, with the options of its logins.
type sessionConfig struct {
	mcplogin.Config
	mcplogin.LoginRequest
}

// session is a Session with the options of its logins.
type session struct {
	*mcplogin.Session
	req mcplogin.LoginRequest
}

func (s session) Login(ctx context.Context, more ...string) (mcplogin.Credential, error) {
	req := s.req
	req.MoreScopes = more
	return s.Session.Login(ctx, req)
}

func (s session) Ensure(ctx context.Context) (mcplogin.Credential, error) {
	return s.Session.Ensure(ctx, s.req)
}

// open returns a separate session, like another process.
func (w *fixture) open(t testing.TB, edit ...func(*sessionConfig)) session {
	t.Helper()
	a := sessionConfig{
		Config: mcplogin.Config{
			Profile: "p",
			Server:  server,
			Source:  mcplogin.Stored(w.store),
			HTTP:    func(string) *http.Client { return w.srv.Client() },
		},
		LoginRequest: mcplogin.LoginRequest{Flows: []flows.Flow{&device.Flow{Prompt: silentPrompt{}}}},
	}
	for _, e := range edit {
		e(&a)
	}
	a.Renewal.Flows = a.Flows
	s, err := mcplogin.Open(a.Config)
	if err != nil {
		t.Fatal(err)
	}
	return session{s, a.LoginRequest}
}

// loggedIn returns a fixture with a credential whose access token has this lifetime.
func loggedIn(t *testing.T, ttl time.Duration) *fixture {
	t.Helper()
	w := newFixture()
	w.srv.Tokens.TTL = ttl
	if _, err := w.open(t).Login(t.Context()); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *fixture) works(t *testing.T, token oauth.Token) bool {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "GET", server, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token.Access)
	resp, err := w.srv.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode != http.StatusUnauthorized
}

const grantRefresh = "refresh_token"

func TestLoginStoresAndReusesTheRegistration(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := loggedIn(t, time.Hour)
		c, err := w.open(t).Login(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if n := w.srv.Count(oauthtest.Register); n != 1 {
			t.Errorf("%d registrations for two logins, want 1", n)
		}
		if c.Flow != "device" || c.Resource != server || c.Server != server || c.Issuer.Issuer != "https://mcp.test" {
			t.Errorf("credential = %+v, flow %q, resource %q, issuer %q", c, c.Flow, c.Resource, c.Issuer.Issuer)
		}
		token, err := w.open(t).Token(t.Context())
		if err != nil || !w.works(t, token) {
			t.Errorf("stored token: %v, works %v", err, w.works(t, token))
		}
	})
}

func TestAbandonedLoginKeepsTheRegistration(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newFixture()
		w.srv.Device.AutoApprove = 0
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := w.open(t).Login(ctx); err == nil {
			t.Fatal("the login succeeded without approval")
		}
		ctx, cancel = context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		w.open(t).Login(ctx)
		if n := w.srv.Count(oauthtest.Register); n != 1 {
			t.Errorf("%d registrations for two abandoned logins, want 1", n)
		}
		if _, err := w.open(t).Token(t.Context()); !errors.Is(err, mcplogin.ErrLoginRequired) {
			t.Errorf("Token() = %v, want ErrLoginRequired", err)
		}
	})
}

func TestDeletedRegistrationIsReplaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := loggedIn(t, time.Hour)
		other := &oauthtest.Server{Device: oauthtest.Device{AutoApprove: 1}} // has no clients
		s := w.open(t, func(c *sessionConfig) { c.HTTP = func(string) *http.Client { return other.Client() } })
		if _, err := s.Login(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := other.Count(oauthtest.Register); n != 1 {
			t.Errorf("%d registrations, want 1", n)
		}
	})
}

func TestFreshTokenNeedsNoNetwork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := loggedIn(t, time.Hour)
		none := func(c *sessionConfig) {
			c.HTTP = func(string) *http.Client { t.Error("an HTTP client was created"); return nil }
		}
		if _, err := w.open(t, none).Token(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// TestRefreshIsShared: every session is like another process: only the store
// is shared.
func TestRefreshIsShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := loggedIn(t, 10*time.Minute)
		time.Sleep(9*time.Minute + 30*time.Second) // 30 s left, below the minimum
		w.srv.Fault(oauthtest.Token, oauthtest.Fault{Delay: 2 * time.Second})
		got := make([]oauth.Token, 60)
		var wg sync.WaitGroup
		shared := w.open(t)
		for i := range got {
			wg.Go(func() {
				s := shared
				if i%2 == 0 {
					s = w.open(t)
				}
				var err error
				if got[i], err = s.Token(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if n := w.srv.Grants(grantRefresh); n != 1 {
			t.Errorf("%d refreshes for %d callers, want 1", n, len(got))
		}
		for _, token := range got {
			if token.Access != got[0].Access || !w.works(t, token) {
				t.Fatal("callers got different or invalid tokens")
			}
		}
	})
}

func TestForcedRefreshesShareOneExchange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := loggedIn(t, time.Hour)
		w.srv.Fault(oauthtest.Token, oauthtest.Fault{Delay: time.Second})
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() {
				if _, err := w.open(t).Refresh(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if n := w.srv.Grants(grantRefresh); n != 1 {
			t.Errorf("%d refreshes, want 1", n)
		}
	})
}

func TestRotationIsFollowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := loggedIn(t, 2*time.Minute)
		s := w.open(t)
		for range 20 {
			time.Sleep(90 * time.Second)
			token, err := s.Token(t.Context())
			if err != nil || !w.works(t, token) {
				t.Fatalf("after rotation: %v", err)
			}
		}
	})
}

func TestResponseWithoutRefreshToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newFixture()
		w.srv.Tokens = oauthtest.Tokens{TTL: 2 * time.Minute, NoRotation: true}
		s := w.open(t)
		if _, err := s.Login(t.Context()); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			time.Sleep(90 * time.Second)
			if _, err := s.Token(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestFaultsKeepTheCredential(t *testing.T) {
	for _, tt := range []struct {
		name  string
		fault oauthtest.Fault
	}{
		{"503", oauthtest.Fault{Times: -1, Status: 503}},
		{"429", oauthtest.Fault{Times: -1, Status: 429}},
		{"html 502", oauthtest.Fault{Times: -1, Status: 502, Body: "<html>"}},
		{"broken connection", oauthtest.Fault{Times: -1, Drop: true}},
		{"no response", oauthtest.Fault{Times: -1, Hang: true}},
		{"not JSON", oauthtest.Fault{Times: -1, Status: 200, Body: "<html>"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := loggedIn(t, 10*time.Minute)
				before, err := w.open(t).Credential(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				w.srv.Fault(oauthtest.Token, tt.fault)

				time.Sleep(9*time.Minute + 5*time.Second)
				if token, err := w.open(t).Token(t.Context()); err != nil || token.Access != before.Token.Access {
					t.Errorf("with 55 s left: %v, want the old token", err)
				}
				time.Sleep(time.Hour)
				if _, err := w.open(t).Token(t.Context()); err == nil || errors.Is(err, mcplogin.ErrLoginRequired) {
					t.Errorf("expired: %v, want the original error", err)
				}
				after, err := w.open(t).Credential(t.Context())
				if err != nil || after.Token != before.Token || after.Refused != "" {
					t.Errorf("a fault changed the stored token: %v", err)
				}
			})
		})
	}
}

func TestInterruptedRefreshIsExplained(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := loggedIn(t, time.Minute)
		time.Sleep(2 * time.Minute)
		w.srv.Fault(oauthtest.Token, oauthtest.Fault{Drop: true, After: true}) // rotated, and the response is lost
		if _, err := w.open(t).Token(t.Context()); err == nil || errors.Is(err, mcplogin.ErrLoginRequired) {
			t.Fatalf("lost response: %v, want a fault", err)
		}
		for range 2 { // the second caller gets this error from the record alone
			_, err := w.open(t).Token(t.Context())
			if !errors.Is(err, mcplogin.ErrLoginRequired) || !strings.Contains(err.Error(), "never stored") {
				t.Errorf("next caller: %v, want ErrLoginRequired with the reason", err)
			}
		}
		if n := w.srv.Count(oauthtest.Token); n != 3 { // device code, refresh, rejected refresh
			t.Errorf("%d token requests, want 3: a rejected token is not sent again", n)
		}
		if _, err := w.open(t).Ensure(t.Context()); err != nil {
			t.Errorf("Ensure() = %v, want a new login", err)
		}
	})
}

// overtakenStore is a store in which another process refreshes just before a write.
type overtakenStore struct {
	secrets.Store
	before func()
}

func (o *overtakenStore) Put(ctx context.Context, name string, data []byte, prev secrets.Version) (secrets.Version, error) {
	if f := o.before; f != nil {
		o.before = nil
		f()
	}
	return o.Store.Put(ctx, name, data, prev)
}

func (o *overtakenStore) Lock(context.Context, string) (func(), error) { return func() {}, nil } // a lease that has expired

func TestOvertakenProcessUsesTheOtherToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := loggedIn(t, time.Minute)
		time.Sleep(2 * time.Minute)
		winner := w.open(t)
		w.store = &overtakenStore{Store: w.store, before: func() {
			if _, err := winner.Token(context.Background()); err != nil {
				t.Error(err)
			}
		}}
		token, err := w.open(t).Token(t.Context())
		if err != nil || !w.works(t, token) {
			t.Errorf("overtaken holder: %v", err)
		}
		if n := w.srv.Grants(grantRefresh); n != 1 {
			t.Errorf("%d refreshes, want 1", n)
		}
	})
}

// flakyStore is a store whose writes fail temporarily.
type flakyStore struct {
	secrets.Store
	failures atomic.Int32 // the number of writes that fail, from the second on
	writes   atomic.Int32
}

func (f *flakyStore) Put(ctx context.Context, name string, data []byte, prev secrets.Version) (secrets.Version, error) {
	if f.writes.Add(1) > 1 && f.failures.Add(-1) >= 0 {
		return "", fmt.Errorf("disk full: %w", secrets.ErrUnavailable)
	}
	return f.Store.Put(ctx, name, data, prev)
}

func TestNewTokenIsStoredDespiteAFailingStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := loggedIn(t, time.Minute)
		time.Sleep(2 * time.Minute)
		f := &flakyStore{Store: w.store}
		f.failures.Store(5)
		w.store = f
		token, err := w.open(t).Token(t.Context())
		if err != nil || !w.works(t, token) {
			t.Fatalf("Token() = %v", err)
		}
		c, err := w.open(t).Credential(t.Context())
		if err != nil || c.Token.Access != token.Access {
			t.Errorf("the token in use is not the stored one: %v", err)
		}
	})
}

func TestCanceledCallerDoesNotLoseTheToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := loggedIn(t, 10*time.Minute)
		time.Sleep(20 * time.Minute)
		w.srv.Fault(oauthtest.Token, oauthtest.Fault{Delay: 5 * time.Second})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := w.open(t).Token(ctx); err != nil {
			t.Error(err) // the exchange had begun, so it was completed
		}
		if _, err := w.open(t).Token(t.Context()); err != nil {
			t.Error(err)
		}
		if n := w.srv.Grants(grantRefresh); n != 1 {
			t.Errorf("%d refreshes, want 1", n)
		}
	})
}

func TestNothingStored(t *testing.T) {
	w := newFixture()
	for name, call := range map[string]func(session) error{
		"Token":      func(s session) error { _, err := s.Token(t.Context()); return err },
		"Headers":    func(s session) error { _, err := s.Headers(t.Context()); return err },
		"Refresh":    func(s session) error { _, err := s.Refresh(t.Context()); return err },
		"Credential": func(s session) error { _, err := s.Credential(t.Context()); return err },
		"Logout":     func(s session) error { return s.Logout(t.Context()) },
		"Clear":      func(s session) error { return s.Clear(t.Context()) },
	} {
		if err := call(w.open(t)); !errors.Is(err, mcplogin.ErrLoginRequired) {
			t.Errorf("%s() = %v, want ErrLoginRequired", name, err)
		}
	}
}

func TestCredentialsAreBoundToTheServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := loggedIn(t, time.Hour)
		otherServer := func(c *sessionConfig) { c.Server = "https://other.test/mcp" }
		s := w.open(t, otherServer)
		var changed *mcplogin.ServerChangedError
		if _, err := s.Token(t.Context()); !errors.As(err, &changed) {
			t.Errorf("Token() for another server = %v, want *ServerChangedError", err)
		}
		if _, err := s.Login(t.Context()); !errors.As(err, &changed) {
			t.Errorf("Login() for another server = %v, want *ServerChangedError", err)
		}
	})
}

// TestChangedEndpointsNeedAcceptance: Checklist 19 and 20: also if the
// issuer stays the same and an endpoint changes.
func TestChangedEndpointsNeedAcceptance(t *testing.T) {
	for _, member := range []string{
		"token_endpoint", "revocation_endpoint", "registration_endpoint", "authorization_endpoint", "device_authorization_endpoint",
	} {
		t.Run(member, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := loggedIn(t, time.Hour)
				attacker := &oauthtest.Server{
					Device: oauthtest.Device{AutoApprove: 1},
					Edit: func(e oauthtest.Endpoint, doc map[string]any) {
						if e == oauthtest.Metadata {
							doc[member] = "https://evil.test/token"
						}
					},
				}
				at := func(c *sessionConfig) { c.HTTP = func(string) *http.Client { return attacker.Client() } }
				var changed *mcplogin.IssuerChangedError
				if _, err := w.open(t, at).Login(t.Context()); !errors.As(err, &changed) || changed.What != member {
					t.Fatalf("Login() = %v, want *IssuerChangedError", err)
				}
				if n := attacker.Count(oauthtest.Token) + attacker.Count(oauthtest.DeviceAuth) + attacker.Count(oauthtest.Register); n != 0 {
					t.Errorf("%d requests went to the changed server", n)
				}
				acceptIssuer := func(c *sessionConfig) { c.Register.AcceptNewIssuer = true }
				if _, err := w.open(t, at, acceptIssuer).Login(t.Context()); errors.As(err, &changed) {
					t.Errorf("Login() after acceptance = %v", err)
				}
			})
		})
	}
}

// TestEndpointsNamedByTheUserAreNoChange: an endpoint that the user names, or
// that the last login did not know, is not a change by the server.
func TestEndpointsNamedByTheUserAreNoChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := loggedIn(t, time.Hour)
		name := func(token string) func(*sessionConfig) {
			return func(c *sessionConfig) { c.Options.Endpoints.Token = token }
		}
		for _, token := range []string{"https://a.test/token", "https://b.test/token"} {
			if c, err := w.open(t, name(token)).Login(t.Context()); err != nil || c.Issuer.TokenEndpoint != token {
				t.Errorf("Login() = %v with %q, want %q", err, c.Issuer.TokenEndpoint, token)
			}
		}
		var changed *mcplogin.IssuerChangedError
		scope := func(c *sessionConfig) { c.Options.Scopes = []string{"mcp:read"} }
		if _, err := w.open(t, scope).Login(t.Context()); !errors.As(err, &changed) || changed.What != "token_endpoint" {
			t.Errorf("Login() = %v, want *IssuerChangedError: the server's own endpoint is not named", err)
		}
		all := func(c *sessionConfig) {
			c.Options.Issuer = "https://mcp.test"
			c.Options.Endpoints.DeviceAuthorization = "https://mcp.test/device_authorization"
		}
		if _, err := w.open(t, name("https://mcp.test/token"), all).Login(t.Context()); err != nil {
			t.Errorf("Login() with only endpoints and no metadata = %v", err)
		}
		if c, err := w.open(t, scope, func(c *sessionConfig) { c.Options.Issuer = "https://mcp.test" }).Login(t.Context()); err != nil || c.Issuer.AuthorizationEndpoint == "" {
			t.Errorf("Login() with new endpoints = %v", err)
		}
		w.srv.Edit = editMetadata(oauthtest.Metadata, func(doc map[string]any) { delete(doc, "authorization_endpoint") })
		if _, err := w.open(t).Login(t.Context()); !errors.As(err, &changed) || changed.Now != "" {
			t.Errorf("Login() with an endpoint removed = %v, want *IssuerChangedError", err)
		}
	})
}

func TestNewerRecordIsNotChanged(t *testing.T) {
	w := newFixture()
	record := []byte(`{"version":99,"profile":"p","server":"` + server + `"}`)
	if _, err := w.store.Put(t.Context(), "p", record, secrets.Absent); err != nil {
		t.Fatal(err)
	}
	s := w.open(t)
	if _, err := s.Token(t.Context()); !errors.Is(err, mcplogin.ErrNewerRecord) {
		t.Errorf("Token() = %v, want ErrNewerRecord", err)
	}
	if _, err := s.Login(t.Context()); !errors.Is(err, mcplogin.ErrNewerRecord) {
		t.Errorf("Login() = %v, want ErrNewerRecord", err)
	}
	if data, _, err := w.store.Get(t.Context(), "p"); err != nil || string(data) != string(record) {
		t.Errorf("the record was changed: %v", err)
	}
}

func TestLogout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := loggedIn(t, time.Hour)
		s := w.open(t)
		token, err := s.Token(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Logout(t.Context()); err != nil {
			t.Fatal(err)
		}
		if w.works(t, token) {
			t.Error("the access token still works")
		}
		if _, err := s.Token(t.Context()); !errors.Is(err, mcplogin.ErrLoginRequired) {
			t.Errorf("Token() = %v, want ErrLoginRequired", err)
		}
		if n := w.srv.Count(oauthtest.Manage); n != 1 {
			t.Errorf("%d requests deleted the registration, want 1", n)
		}
	})
}

func TestLogoutRemovesAndReportsFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := loggedIn(t, time.Hour)
		w.srv.Fault(oauthtest.Revoke, oauthtest.Fault{Times: -1, Status: 503})
		err := w.open(t).Logout(t.Context())
		var logoutErr *mcplogin.LogoutError
		if !errors.As(err, &logoutErr) || logoutErr.Revoke == nil || logoutErr.Delete != nil {
			t.Errorf("Logout() = %v, want only a failed revocation", err)
		}
		if _, err := w.open(t).Credential(t.Context()); !errors.Is(err, mcplogin.ErrLoginRequired) {
			t.Errorf("the credential is still there: %v", err)
		}
	})
}

// TestLogoutWithoutNetwork: a server that cannot be reached is asked once, because each
// request may wait as long.
func TestLogoutWithoutNetwork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := loggedIn(t, time.Hour)
		w.srv.Fault(oauthtest.Revoke, oauthtest.Fault{Times: -1, Drop: true})
		before := w.srv.Count(oauthtest.Revoke)
		err := w.open(t).Logout(t.Context())
		var half *mcplogin.LogoutError
		if !errors.As(err, &half) || half.Delete != nil {
			t.Errorf("Logout() = %v, want a failed revocation alone", err)
		}
		if n := w.srv.Count(oauthtest.Revoke) - before; n != 1 {
			t.Errorf("%d requests were sent, want 1", n)
		}
	})
}

func TestSecretsDoNotPrint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := loggedIn(t, time.Hour)
		c, err := w.open(t).Credential(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		text := fmt.Sprintf("%v %+v %#v %s %q", c, c, c, &c, c.Token)
		for _, secret := range w.srv.Issued() {
			if strings.Contains(text, secret) {
				t.Error("a secret was printed")
			}
		}
	})
}

func TestOpenRejectsBadConfigs(t *testing.T) {
	for name, cfg := range map[string]mcplogin.Config{
		"no store":     {Profile: "p"},
		"no profile":   {Source: mcplogin.Stored(&secrets.Memory{})},
		"bad profile":  {Profile: "a\nb", Source: mcplogin.Stored(&secrets.Memory{})},
		"plain http":   {Profile: "p", Source: mcplogin.Stored(&secrets.Memory{}), Server: "http://mcp.test/"},
		"no URL":       {Profile: "p", Source: mcplogin.Stored(&secrets.Memory{}), Server: "mcp.test"},
		"userinfo URL": {Profile: "p", Source: mcplogin.Stored(&secrets.Memory{}), Server: "https://u:p@mcp.test/"},
	} {
		if _, err := mcplogin.Open(cfg); err == nil {
			t.Errorf("Open(%s) succeeded", name)
		}
	}
}

// TestWarmTokenDoesNotAllocate: a program calls Token before each request.
func TestWarmTokenDoesNotAllocate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := loggedIn(t, time.Hour).open(t)
		ctx := t.Context()
		if _, err := s.Token(ctx); err != nil {
			t.Fatal(err)
		}
		if n := testing.AllocsPerRun(100, func() {
			if _, err := s.Token(ctx); err != nil {
				t.Error(err)
			}
		}); n > 0 {
			t.Errorf("%v allocations for a token that is cached", n)
		}
	})
}
