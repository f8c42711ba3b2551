package mcplogin_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/oauth/oauthtest"
	"github.com/mcp-login/mcp-login/secrets"
)

// abandonedLogin starts a login that is never approved.
func (w *fixture) abandonedLogin(t *testing.T, edit ...func(*sessionConfig)) {
	t.Helper()
	approve := w.srv.Device.AutoApprove
	w.srv.Device.AutoApprove = 0
	defer func() { w.srv.Device.AutoApprove = approve }()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if _, err := w.open(t, edit...).Login(ctx); err == nil {
		t.Fatal("the login succeeded without approval")
	}
}

// login completes a login that is approved.
func (w *fixture) login(t *testing.T, edit ...func(*sessionConfig)) {
	t.Helper()
	if _, err := w.open(t, edit...).Login(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// wantRegistrations checks the number of registration requests.
func (w *fixture) wantRegistrations(t *testing.T, want int) {
	t.Helper()
	if n := w.srv.Count(oauthtest.Register); n != want {
		t.Errorf("%d registrations, want %d", n, want)
	}
}

// withScopes sets the requested scopes.
func withScopes(names ...string) func(*sessionConfig) {
	return func(c *sessionConfig) { c.Options.Scopes = names }
}

// withServer sets the server of a session.
func withServer(url string) func(*sessionConfig) { return func(c *sessionConfig) { c.Server = url } }

func TestAbandonedLoginLeavesNoTrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newFixture()
		w.abandonedLogin(t, withServer("https://typo.test/mcp"))
		if names, err := w.store.List(t.Context()); err != nil || len(names) != 0 {
			t.Errorf("List() = %q, %v", names, err)
		}
		for name, call := range map[string]func(session) error{
			"Credential": func(s session) error { _, err := s.Credential(t.Context()); return err },
			"Logout":     func(s session) error { return s.Logout(t.Context()) },
			"Clear":      func(s session) error { return s.Clear(t.Context()) },
		} {
			if err := call(w.open(t)); !errors.Is(err, mcplogin.ErrLoginRequired) {
				t.Errorf("%s() = %v, want ErrLoginRequired", name, err)
			}
		}
		if _, err := w.open(t).Login(t.Context()); err != nil {
			t.Errorf("login with the right URL: %v", err)
		}
	})
}

// TestAbandonedLoginKeepsTheCredential: an abandoned login does not replace a
// credential, even if it began before another login was completed.
func TestAbandonedLoginKeepsTheCredential(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newFixture()
		slow := &oauthtest.Server{} // never approved
		slow.Fault(oauthtest.Register, oauthtest.Fault{Delay: time.Minute})
		ended := make(chan error)
		go func() {
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
			defer cancel()
			_, err := w.open(t, func(c *sessionConfig) { c.HTTP = func(string) *http.Client { return slow.Client() } }).Login(ctx)
			ended <- err
		}()
		synctest.Wait() // it registers, and has found that nothing is stored
		w.login(t)
		if err := <-ended; err == nil || slow.Count(oauthtest.DeviceAuth) != 1 {
			t.Fatalf("the other login: %v, %d prompts", err, slow.Count(oauthtest.DeviceAuth))
		}
		if token, err := w.open(t).Token(t.Context()); err != nil || !w.works(t, token) {
			t.Errorf("Token() after an abandoned login = %v", err)
		}
	})
}

// TestPendingRegistrationIsUsedOnce: the client of an abandoned login is reused by
// the next one, and then belongs only to the credential.
func TestPendingRegistrationIsUsedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newFixture()
		w.abandonedLogin(t)
		w.login(t)
		w.wantRegistrations(t, 1)
		if _, _, err := w.store.Get(t.Context(), secrets.Internal); !errors.Is(err, secrets.ErrNotFound) {
			t.Errorf("the record of pending registrations: %v, want it to be removed", err)
		}
	})
}

// TestPendingRegistrationIsNotShared: profiles do not share a client, because a
// logout of one would break the other.
func TestPendingRegistrationIsNotShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newFixture()
		w.abandonedLogin(t)
		other := func(c *sessionConfig) { c.Profile = "other" }
		w.login(t, other)
		w.wantRegistrations(t, 2)
	})
}

// TestDeletedPendingRegistration: a client that the server has deleted
// is replaced once.
func TestDeletedPendingRegistration(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newFixture()
		w.abandonedLogin(t)
		w.srv = &oauthtest.Server{Device: oauthtest.Device{AutoApprove: 1}} // has no clients
		w.login(t)
		w.wantRegistrations(t, 1)
	})
}

// TestAbandonedStepUp: repeated abandoned logins for more scopes register only one
// client.
func TestAbandonedStepUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newFixture()
		w.srv.Clients.ScopesRegistered = true
		w.login(t, withScopes("mcp:read"))
		for range 3 {
			w.abandonedLogin(t, withScopes("mcp:read", "mcp:write"))
		}
		w.wantRegistrations(t, 2)
		if token, err := w.open(t).Token(t.Context()); err != nil || !w.works(t, token) {
			t.Errorf("Token() = %v", err)
		}
	})
}

func TestPendingRegistrationsExpire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newFixture()
		w.abandonedLogin(t)
		time.Sleep(40 * 24 * time.Hour)
		w.abandonedLogin(t)
		w.wantRegistrations(t, 2) // the first has expired
		for i := range 100 {
			w.abandonedLogin(t, func(c *sessionConfig) { c.Profile = fmt.Sprint(i) })
		}
		data, _, err := w.store.Get(t.Context(), secrets.Internal)
		if n := strings.Count(string(data), `"profile"`); err != nil || n > 64 {
			t.Errorf("%d registrations are kept, %v", n, err)
		}
	})
}

// TestPendingRegistrationOfAnOlderVersion: older versions stored the registration in
// the credential's record.
func TestPendingRegistrationOfAnOlderVersion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newFixture()
		note := `{"version":1,"profile":"p","server":"https://typo.test/mcp","authorization_server":{"issuer":"https://typo.test"},"client":{"client_id":"x"}}`
		if _, err := w.store.Put(t.Context(), "p", []byte(note), secrets.Absent); err != nil {
			t.Fatal(err)
		}
		if _, err := w.open(t).Token(t.Context()); !errors.Is(err, mcplogin.ErrLoginRequired) || err.Error() != `not signed in to "p"` {
			t.Errorf("Token() = %v, want a login required error", err)
		}
		if _, err := w.open(t).Login(t.Context()); err != nil {
			t.Errorf("login with the right URL: %v", err)
		}
	})
}

// faultyStore is a store with faults. A nil function means the store's own method.
type faultyStore struct {
	secrets.Store
	probe func() error
	put   func(name string) error
	lock  func(ctx context.Context) error
}

func (f *faultyStore) Probe(context.Context) error {
	if f.probe == nil {
		return nil
	}
	return f.probe()
}

func (f *faultyStore) Put(ctx context.Context, name string, data []byte, prev secrets.Version) (secrets.Version, error) {
	if f.put != nil && name != secrets.Internal {
		if err := f.put(name); err != nil {
			return secrets.Absent, err
		}
	}
	return f.Store.Put(ctx, name, data, prev)
}

func (f *faultyStore) Lock(ctx context.Context, name string) (func(), error) {
	if f.lock != nil {
		if err := f.lock(ctx); err != nil {
			return nil, err
		}
	}
	return f.Store.Lock(ctx, name)
}

// TestApprovedLoginIsSavedDespiteTheLock: a process that hangs with the lock
// takes a part of the time, the write has the rest.
func TestApprovedLoginIsSavedDespiteTheLock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newFixture()
		outage := 3
		w.store = &faultyStore{Store: w.store,
			lock: func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() },
			put: func(string) error {
				if outage--; outage >= 0 {
					return secrets.ErrTemporary
				}
				return nil
			},
		}
		w.login(t)
		if token, err := w.open(t).Token(t.Context()); err != nil || !w.works(t, token) {
			t.Errorf("Token() = %v", err)
		}
	})
}

func TestLoginThatCannotBeSavedIsRevoked(t *testing.T) {
	for name, fault := range map[string]error{"permanent": secrets.ErrUnavailable, "temporary": secrets.ErrTemporary} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := loggedIn(t, time.Hour)
				revoked := w.srv.Count(oauthtest.Revoke)
				before, _, err := w.store.Get(t.Context(), "p")
				if err != nil {
					t.Fatal(err)
				}
				plain := w.store
				w.store = &faultyStore{Store: plain, put: func(string) error { return fault }}
				_, err = w.open(t).Login(t.Context())
				if !errors.Is(err, fault) || !strings.Contains(err.Error(), "its tokens were revoked") {
					t.Errorf("Login() = %v", err)
				}
				if n := w.srv.Count(oauthtest.Revoke) - revoked; n != 1 {
					t.Errorf("%d revocations, want 1", n)
				}
				if now, _, err := plain.Get(t.Context(), "p"); err != nil || string(now) != string(before) {
					t.Errorf("the stored credential changed: %v", err)
				}
			})
		})
	}
}

// TestReplace: a login with Replace uses the store like any other.
func TestReplace(t *testing.T) {
	replace := func(c *sessionConfig) { c.Replace = true }
	t.Run("another server", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := loggedIn(t, time.Hour)
			w.abandonedLogin(t, replace, withServer("https://other.test/mcp"))
			if token, err := w.open(t).Token(t.Context()); err != nil || !w.works(t, token) {
				t.Errorf("Token() after an abandoned login = %v", err)
			}
			if c, err := w.open(t, replace, withServer("https://other.test/mcp")).Login(t.Context()); err != nil || c.Issuer.Issuer != "https://other.test" {
				t.Errorf("Login() = %v at %q", err, c.Issuer.Issuer)
			}
		})
	})
	t.Run("a store that cannot be written", func(t *testing.T) {
		w := newFixture()
		w.store = &faultyStore{Store: w.store, probe: func() error { return secrets.ErrUnavailable }}
		if _, err := w.open(t, replace).Login(t.Context()); !errors.Is(err, secrets.ErrUnavailable) || w.srv.Count(oauthtest.DeviceAuth) != 0 {
			t.Errorf("Login() = %v, with %d prompts", err, w.srv.Count(oauthtest.DeviceAuth))
		}
	})
	for name, tt := range map[string]struct {
		record  string
		replace bool
		want    error
	}{
		"not a record":                               {"", true, nil},
		"not a record, without Replace":              {"", false, secrets.ErrUndecryptable},
		"a newer version":                            {`{"version":99}`, true, mcplogin.ErrNewerRecord},
		"a pending registration of an older version": {`{"version":1,"profile":"p","server":"https://typo.test/mcp"}`, true, nil},
		"a copy from another profile":                {`{"version":1,"profile":"q","token":{"access_token":"at"}}`, true, nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newFixture()
				if _, err := w.store.Put(t.Context(), "p", []byte(tt.record), secrets.Any); err != nil {
					t.Fatal(err)
				}
				_, err := w.open(t, func(c *sessionConfig) { c.Replace = tt.replace }).Login(t.Context())
				if !errors.Is(err, tt.want) {
					t.Errorf("Login() = %v, want %v", err, tt.want)
				}
				if prompted := w.srv.Count(oauthtest.DeviceAuth) > 0; prompted != (tt.want == nil) {
					t.Errorf("the user was prompted: %v", prompted)
				}
			})
		})
	}
}

// unreadableStore is a store with a record that it cannot open, which it replaces
// only once that was deleted.
type unreadableStore struct {
	secrets.Memory
	err     error
	deleted bool
}

func (u *unreadableStore) Get(ctx context.Context, name string) ([]byte, secrets.Version, error) {
	if name == "p" && !u.deleted {
		return nil, secrets.Absent, u.err
	}
	return u.Memory.Get(ctx, name)
}

func (u *unreadableStore) Put(ctx context.Context, name string, data []byte, prev secrets.Version) (secrets.Version, error) {
	if name == "p" && !u.deleted {
		return secrets.Absent, u.err
	}
	return u.Memory.Put(ctx, name, data, prev)
}

func (u *unreadableStore) Delete(ctx context.Context, name string, prev secrets.Version) error {
	if name == "p" && !u.deleted {
		u.deleted = true
		return nil
	}
	return u.Memory.Delete(ctx, name, prev)
}

func TestReplaceUnreadableRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newFixture()
		replace := func(c *sessionConfig) { c.Replace = true }
		u := &unreadableStore{err: fmt.Errorf("%w: %w", secrets.ErrUndecryptable, secrets.ErrNewer)}
		w.store = u
		if _, err := w.open(t, replace).Login(t.Context()); !errors.Is(err, secrets.ErrNewer) || w.srv.Count(oauthtest.DeviceAuth) != 0 || u.deleted {
			t.Errorf("with a newer version's record: Login() = %v, %d prompts, removed %v", err, w.srv.Count(oauthtest.DeviceAuth), u.deleted)
		}
		u.err = secrets.ErrUndecryptable
		if _, err := w.open(t).Login(t.Context()); !errors.Is(err, secrets.ErrUndecryptable) || w.srv.Count(oauthtest.DeviceAuth) != 0 || u.deleted {
			t.Errorf("Login() = %v, %d prompts, removed %v", err, w.srv.Count(oauthtest.DeviceAuth), u.deleted)
		}
		w.login(t, replace)
		if token, err := w.open(t).Token(t.Context()); err != nil || !w.works(t, token) {
			t.Errorf("Token() = %v", err)
		}
	})
}

// TestRecordThatKeepsChanging: each write is rejected as a conflict, for example by
// a broken store or by constant writers. A refresh ends with a temporary error
// after a limited number of attempts.
func TestRecordThatKeepsChanging(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := loggedIn(t, time.Minute)
		time.Sleep(2 * time.Minute)
		tries := 0
		w.store = &faultyStore{Store: w.store, put: func(string) error { tries++; return secrets.ErrConflict }}
		start := time.Now()
		_, err := w.open(t).Token(t.Context())
		if !errors.Is(err, secrets.ErrTemporary) {
			t.Errorf("Token() = %v, want ErrTemporary", err)
		}
		if took := time.Since(start); took > 2*time.Minute || tries > 200 {
			t.Errorf("it took %s and %d attempts", took, tries)
		}
	})
}
