package mcplogin_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/mcp-login/mcp-login/oauth"
	"github.com/mcp-login/mcp-login/oauth/oauthtest"
	"github.com/mcp-login/mcp-login/secrets"
)

// TestDeviceLoginRetriesTheRegistration: login works at a server that
// rejects an empty list of redirect URIs, like Better Auth, and at one that rejects
// resource scopes, like oidc-provider; other servers get one request.
func TestDeviceLoginRetriesTheRegistration(t *testing.T) {
	for _, tt := range []struct {
		name     string
		clients  oauthtest.Clients
		requests int
	}{
		{"nothing rejected", oauthtest.Clients{}, 1},
		{"an empty list rejected", oauthtest.Clients{Redirects: "not empty"}, 2},
		{"no redirect URI rejected", oauthtest.Clients{Redirects: "some"}, 3},
		{"a scope rejected", oauthtest.Clients{RefuseScope: true}, 2},
		{"both", oauthtest.Clients{Redirects: "some", RefuseScope: true}, 4},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newFixture()
				w.srv.Clients = tt.clients
				c, err := w.open(t).Login(t.Context())
				if err != nil || !w.works(t, c.Token) {
					t.Fatalf("Login() = %v", err)
				}
				if n := w.srv.Count(oauthtest.Register); n != tt.requests {
					t.Errorf("%d registration requests, want %d", n, tt.requests)
				}
			})
		})
	}
}

// TestScopesAreRegisteredBeforeTheRequest: a server that allows a client only
// its registered scopes, like Ory Hydra, grants the requested ones, at a step-up
// too; and the client is registered again only if necessary.
func TestScopesAreRegisteredBeforeTheRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newFixture()
		w.srv.Clients.ScopesRegistered = true
		w.srv.Tokens.Scopes = []string{"mcp:basic", "mcp:read", "mcp:write"}
		w.srv.Tokens.Required = "mcp:read"
		for i, more := range [][]string{nil, nil, {"mcp:write"}, nil, {"mcp:write"}} {
			c, err := w.open(t).Login(t.Context(), more...)
			if err != nil {
				t.Fatalf("login %d: %v", i, err)
			}
			if want := "mcp:read" + map[bool]string{true: " mcp:write"}[i > 1]; strings.Join(c.Scopes(), " ") != want || c.App.Scope != want {
				t.Errorf("login %d: granted %q, registered %q, want %q", i, c.Scopes(), c.App.Scope, want)
			}
		}
		w.wantRegistrations(t, 2) // at first, and for the step-up
	})
}

// TestClientWithoutScopesIsReplaced: a client that an older version
// registered without its scopes is replaced if the server rejects it because of
// them.
func TestClientWithoutScopesIsReplaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newFixture()
		w.srv.Clients.ScopesRegistered = true
		old := w.open(t, withScopes("mcp:read"))
		c, err := old.Login(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		c.Version, c.App.Scope = 1, "" // an older version does not store it
		record, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.store.Put(t.Context(), c.Profile, record, secrets.Any); err != nil {
			t.Fatal(err)
		}
		if c, err = w.open(t).Login(t.Context(), "mcp:write"); err != nil || len(c.Missing()) > 0 {
			t.Errorf("Login() = %v, without %q", err, c.Missing())
		}
	})
}

// TestOmittedScopeIsNotRegisteredAgain: if a server registers fewer
// scopes than requested, later logins do not register again.
func TestOmittedScopeIsNotRegisteredAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newFixture()
		w.srv.Clients.Known = map[string]string{"known": ""}
		w.srv.Fault(oauthtest.Register, oauthtest.Fault{Times: -1, Status: http.StatusCreated, Body: `{"client_id":"known","scope":"mcp:read"}`})
		for range 3 {
			w.login(t)
		}
		w.wantRegistrations(t, 1)
	})
}

// TestUnregisteredScopesAreOmitted: if a server registers fewer scopes
// than requested and then allows only those, only those are requested. The missing
// ones are reported.
func TestUnregisteredScopesAreOmitted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newFixture()
		w.srv.Clients.RefuseScope, w.srv.Clients.ScopesRegistered = true, true
		c, err := w.open(t).Login(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(c.Scopes(), " "); got != "mcp:read" || len(c.Missing()) == 0 {
			t.Errorf("granted %q, missing %q", got, c.Missing())
		}
		n := w.srv.Count(oauthtest.Register)
		if _, err := w.open(t).Login(t.Context()); err != nil || w.srv.Count(oauthtest.Register) != n {
			t.Errorf("Login() again = %v, %d more registrations, want none", err, w.srv.Count(oauthtest.Register)-n)
		}
		named := w.open(t, withScopes("mcp:read", "mcp:write"))
		if _, err := named.Login(t.Context()); !oauth.IsCode(err, oauth.CodeInvalidScope) {
			t.Errorf("Login() for scopes that the user named = %v, want the server's error", err)
		}
	})
}

// TestStepUpWithoutRegistration: if the initial access token of
// the first registration is no longer available, a step-up uses the existing
// client.
func TestStepUpWithoutRegistration(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newFixture()
		w.srv.Tokens.Required = "mcp:read"
		first, err := w.open(t).Login(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		w.srv.Clients.InitialAccessToken = "gone"
		c, err := w.open(t).Login(t.Context(), "mcp:write")
		if err != nil || c.App.ID != first.App.ID || len(c.Missing()) > 0 {
			t.Errorf("Login() = %v by client %q, want %q", err, c.App.ID, first.App.ID)
		}
	})
}
