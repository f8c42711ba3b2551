package agentd

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/agent"
	"github.com/mcp-login/mcp-login/flows"
	"github.com/mcp-login/mcp-login/flows/device"
	"github.com/mcp-login/mcp-login/oauth/oauthtest"
	"github.com/mcp-login/mcp-login/secrets"
)

const server = "https://mcp.test/mcp"

// silentPrompt is a prompt without a user: the fake server approves.
type silentPrompt struct{}

func (silentPrompt) ShowCode(context.Context, device.Code) {}

// fixture is a fake server, a store and an in-memory agent, for use in a synctest
// bubble. Real sockets are tested elsewhere.
type fixture struct {
	t     *testing.T
	srv   *oauthtest.Server
	store *flakyStore
	audit bytes.Buffer
	agent *Agent
}

// flakyStore is a store that can be unavailable.
type flakyStore struct {
	secrets.Memory
	mu   sync.Mutex
	err  error
	gets int
}

func (f *flakyStore) Get(ctx context.Context, name string) ([]byte, secrets.Version, error) {
	f.mu.Lock()
	f.gets++
	err := f.err
	f.mu.Unlock()
	if err != nil {
		return nil, "", err
	}
	return f.Memory.Get(ctx, name)
}

func (f *flakyStore) fail(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err = err
}

func newFixture(t *testing.T, ttl time.Duration) *fixture {
	return &fixture{t: t, store: &flakyStore{}, srv: &oauthtest.Server{
		Device: oauthtest.Device{AutoApprove: 1}, Tokens: oauthtest.Tokens{TTL: ttl},
	}}
}

func (w *fixture) config(profile string) mcplogin.Config {
	return mcplogin.Config{
		Profile: profile, Server: server, Source: mcplogin.Stored(w.store),
		HTTP: func(string) *http.Client { return w.srv.Client() },
	}
}

// byDevice returns a request for a device login, which the server approves by
// itself.
func byDevice() mcplogin.LoginRequest {
	return mcplogin.LoginRequest{Flows: []flows.Flow{&device.Flow{Prompt: silentPrompt{}}}}
}

func (w *fixture) login(profile string) {
	w.t.Helper()
	s, err := mcplogin.Open(w.config(profile))
	if err == nil {
		_, err = s.Login(w.t.Context(), byDevice())
	}
	if err != nil {
		w.t.Error(err)
	}
}

// start runs the agent until stop is called.
func (w *fixture) start(edit ...func(*Config)) (stop func()) {
	w.t.Helper()
	cfg := Config{Profiles: w.store.List, Session: w.config(""), Audit: &w.audit}
	for _, e := range edit {
		e(&cfg)
	}
	var err error
	if w.agent, err = New(cfg); err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(w.t.Context())
	ended := make(chan error)
	go func() { ended <- w.agent.Run(ctx) }()
	synctest.Wait()
	return func() {
		w.t.Helper()
		cancel()
		if err := <-ended; err != nil {
			w.t.Error(err)
		}
	}
}

// ask sends a request like a client of a socket, and returns the status and the
// body.
func (w *fixture) ask(s Socket, profile string) (int, agent.Answer, agent.Error) {
	w.t.Helper()
	r := httptest.NewRequestWithContext(w.t.Context(), "GET", agent.ProfilesPath+"/"+url.PathEscape(profile)+agent.HeadersPath, nil)
	rec := httptest.NewRecorder()
	handler{w.agent, s}.ServeHTTP(rec, r)
	var a agent.Answer
	var e agent.Error
	if err := errors.Join(json.Unmarshal(rec.Body.Bytes(), &a), json.Unmarshal(rec.Body.Bytes(), &e)); err != nil {
		w.t.Errorf("%s: %v", rec.Body, err)
	}
	return rec.Code, a, e
}

// metrics returns the response of /metrics.
func (w *fixture) metrics() string {
	rec := httptest.NewRecorder()
	handler{w.agent, Socket{}}.ServeHTTP(rec, httptest.NewRequestWithContext(w.t.Context(), "GET", "/metrics", nil))
	return rec.Body.String()
}

// works reports whether the MCP server accepts the issued token.
func (w *fixture) works(a agent.Answer) bool {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), "GET", server, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("Authorization", a.Headers["Authorization"])
	resp, err := w.srv.Client().Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	return resp.StatusCode != http.StatusUnauthorized
}

func (w *fixture) refreshes() int { return w.srv.Grants("refresh_token") }

// TestThousandProfiles: with 1,000 profiles of short-lived tokens over ten minutes,
// every issued token is valid, and the refreshes are spread out.
func TestThousandProfiles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const (
			profiles = 1000
			ttl      = 2 * time.Minute
			duration = 10 * time.Minute
		)
		w := newFixture(t, ttl)
		var logins sync.WaitGroup
		for i := range profiles {
			logins.Go(func() { w.login(fmt.Sprint("p", i)) })
		}
		logins.Wait()
		stop := w.start()
		requests, worst, before := 0, 0, w.refreshes()
		lastSecond := before
		for range int(duration / time.Second) {
			time.Sleep(time.Second)
			synctest.Wait()
			for range profiles / 20 { // each about every 20 s
				status, a, e := w.ask(Socket{}, fmt.Sprint("p", rand.N(profiles)))
				if status != http.StatusOK || time.Until(a.Expiry) < ttl/reserve || !w.works(a) {
					t.Fatalf("after request %d: status %d, %s left, %s", requests, status, time.Until(a.Expiry), e.Message)
				}
				requests++
			}
			worst = max(worst, w.refreshes()-before)
			before = w.refreshes()
		}
		stop()
		done := before - lastSecond
		t.Logf("%d requests, %d refreshes, at most %d in a second", requests, done, worst)
		lowest, highest := profiles*int(duration/ttl), profiles*int(duration/ttl)*2
		if done < lowest || done > highest {
			t.Errorf("%d refreshes, want %d to %d", done, lowest, highest)
		}
		if worst > profiles/10 {
			t.Errorf("%d refreshes in one second", worst)
		}
		if text := w.metrics(); !strings.Contains(text, "\nmcp_login_agent_clock_jumps_total 0\n") {
			t.Errorf("clock jumps were reported by mistake:\n%s", text)
		}
	})
}

// TestStoreChangesAreNoticed: the agent notices changes of the store by the user or
// another process.
func TestStoreChangesAreNoticed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newFixture(t, 10*time.Minute)
		w.login("a")
		defer w.start()()
		if status, _, e := w.ask(Socket{}, "b"); status != http.StatusConflict || e.Code != agent.CodeLogin || e.Reason == "" {
			t.Errorf("before the login: %d %+v", status, e)
		}
		w.login("b")
		if status, a, e := w.ask(Socket{}, "b"); status != http.StatusOK || !w.works(a) {
			t.Errorf("after the login: %d %+v", status, e)
		}
		w.srv.RevokeAll()
		time.Sleep(11 * time.Minute)
		if status, _, e := w.ask(Socket{}, "b"); status != http.StatusConflict || e.Code != agent.CodeLogin || e.Server != server {
			t.Errorf("after a revocation: %d %+v", status, e)
		}
		w.login("b")
		if status, a, e := w.ask(Socket{}, "b"); status != http.StatusOK || !w.works(a) {
			t.Errorf("after the second login: %d %+v", status, e)
		}
		before := w.refreshes()
		time.Sleep(30 * time.Minute)
		if w.refreshes() == before {
			t.Error("the profile is not refreshed after the second login")
		}
		s, _ := mcplogin.Open(w.config("b"))
		if err := s.Clear(t.Context()); err != nil {
			t.Fatal(err)
		}
		if status, _, e := w.ask(Socket{}, "b"); status != http.StatusConflict {
			t.Errorf("after the removal: %d %+v", status, e)
		}
	})
}

// TestRefreshOfOthers: a token that another process has refreshed is not refreshed
// again.
func TestRefreshOfOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newFixture(t, 10*time.Minute)
		w.login("a")
		defer w.start()()
		s, _ := mcplogin.Open(w.config("a"))
		time.Sleep(4 * time.Minute)
		if _, err := s.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(4 * time.Minute) // after three quarters of the first token's lifetime, and before half of the second's
		if n := w.refreshes(); n != 1 {
			t.Errorf("%d refreshes, want 1", n)
		}
	})
}

// TestStoreOutage: tokens are issued during an outage of the store.
func TestStoreOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newFixture(t, 10*time.Minute)
		w.login("a")
		defer w.start()()
		w.store.fail(fmt.Errorf("%w: sealed", secrets.ErrTemporary))
		if status, a, _ := w.ask(Socket{}, "a"); status != http.StatusOK || !w.works(a) {
			t.Errorf("with a token in memory: %d", status)
		}
		time.Sleep(9 * time.Minute)
		if status, a, e := w.ask(Socket{}, "a"); status != http.StatusOK || !w.works(a) {
			t.Errorf("with a token in memory that expires soon: %d %+v", status, e)
		}
		time.Sleep(2 * time.Minute)
		if status, _, e := w.ask(Socket{}, "a"); status != http.StatusServiceUnavailable || e.Code != agent.CodeTemporary {
			t.Errorf("with an expired token: %d %+v", status, e)
		}
		w.store.fail(fmt.Errorf("%w: refused", secrets.ErrUnavailable))
		if _, _, e := w.ask(Socket{}, "a"); e.Code != agent.CodeStore {
			t.Errorf("with a store that denies access: %+v", e)
		}
		w.store.fail(nil)
		if status, a, _ := w.ask(Socket{}, "a"); status != http.StatusOK || !w.works(a) {
			t.Errorf("afterwards: %d", status)
		}
	})
}

// TestReload: a reload adds and removes profiles.
func TestReload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newFixture(t, 10*time.Minute)
		w.login("a")
		w.login("b")
		defer w.start()()
		s, _ := mcplogin.Open(w.config("a"))
		if err := s.Clear(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.login("c")
		if err := w.agent.Reload(t.Context()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if w.agent.kept("a") != nil || w.agent.kept("c") == nil || len(w.agent.profiles) != 2 {
			t.Errorf("kept: %v", w.agent.profiles)
		}
		time.Sleep(10 * time.Minute)
		for _, name := range []string{"b", "c"} {
			if p := w.agent.snapshot(w.agent.kept(name)); p.state() != stateFresh || !p.last.Valid(2*time.Minute) {
				t.Errorf("%s is %s: %v", name, p.state(), p.err)
			}
		}
	})
}

// TestRemovedProfileIsNotRefreshed: a profile that a reload removes is not
// refreshed again, even if a refresh was due and queued, and its token is not
// issued for a request that the user has just confirmed.
func TestRemovedProfileIsNotRefreshed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newFixture(t, 10*time.Minute)
		w.login("a")
		kept := []string{"a"}
		defer w.start(func(c *Config) {
			c.Profiles = func(context.Context) ([]string, error) { return kept, nil }
			c.Confirm = func(ctx context.Context, _ Request) error {
				kept = nil
				return w.agent.Reload(ctx)
			}
		})()
		p := w.agent.kept("a")
		if code, _, e := w.ask(Socket{}, "a"); e.Code != agent.CodeLogin || w.agent.kept("a") != nil {
			t.Errorf("status %d, %+v for a profile that was removed meanwhile", code, e)
		}
		time.Sleep(20 * time.Minute)
		before := w.refreshes()
		w.agent.work(t.Context(), p)
		if n := w.refreshes() - before; n != 0 {
			t.Errorf("%d refreshes of a removed profile", n)
		}
	})
}

// TestProfileSettings: settings of one profile apply to it, and are read again by a
// reload, which keeps the profile's state.
func TestProfileSettings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newFixture(t, 10*time.Minute)
		other := *newFixture(t, 10*time.Minute)
		other.srv = w.srv
		w.login("a")
		other.login("b")
		minTTL := time.Duration(0)
		defer w.start(func(c *Config) {
			c.Profiles = func(context.Context) ([]string, error) { return []string{"a", "b"}, nil }
			c.Adapt = func(profile string, cfg *mcplogin.Config) error {
				if profile == "b" {
					cfg.Source = mcplogin.Stored(other.store)
				}
				cfg.MinTTL = max(cfg.MinTTL, minTTL)
				return nil
			}
		})()
		for _, name := range []string{"a", "b"} {
			if status, a, _ := w.ask(Socket{}, name); status != http.StatusOK || !w.works(a) {
				t.Errorf("%s: status %d", name, status)
			}
		}
		time.Sleep(4 * time.Minute)
		before := w.refreshes()
		if w.ask(Socket{}, "a"); w.refreshes() != before {
			t.Error("refreshed with six minutes left")
		}
		credential := w.agent.snapshot(w.agent.kept("a"))
		minTTL = 8 * time.Minute
		w.store.fail(errors.New("out"))
		if err := w.agent.Reload(t.Context()); err != nil {
			t.Fatal(err)
		}
		if now := w.agent.snapshot(w.agent.kept("a")); now.last.Token.Access != credential.last.Token.Access {
			t.Error("a reload dropped the token")
		}
		w.store.fail(nil)
		if w.ask(Socket{}, "a"); w.refreshes() == before {
			t.Error("the new MinTTL has no effect: not refreshed with six minutes left")
		}
	})
}

// TestNewLogins: new profiles are found without a request.
func TestNewLogins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newFixture(t, 10*time.Minute)
		w.login("a")
		defer w.start()()
		w.login("b")
		time.Sleep(2 * syncEvery)
		synctest.Wait()
		if p := w.agent.kept("b"); p == nil || w.agent.snapshot(p).state() != stateFresh {
			t.Error("the new profile is not kept")
		}
	})
}

// TestDrain: the result of a refresh in flight is stored when the agent stops.
func TestDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newFixture(t, 10*time.Minute)
		w.login("a")
		stop := w.start()
		w.srv.Fault(oauthtest.Token, oauthtest.Fault{Delay: 20 * time.Second})
		for w.srv.Count(oauthtest.Token) < 2 { // the login, and the refresh
			time.Sleep(time.Second)
		}
		stop()
		s, _ := mcplogin.Open(w.config("a"))
		c, err := s.Credential(t.Context())
		if err != nil || c.RefreshedAt.IsZero() || !c.RefreshBegunAt.IsZero() {
			t.Errorf("the refresh did not complete: %v", err)
		}
	})
}
