package agent

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
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/flows"
	"github.com/mcp-login/mcp-login/flows/device"
	"github.com/mcp-login/mcp-login/oauth/oauthtest"
	"github.com/mcp-login/mcp-login/secrets"
)

const server = "https://mcp.test/mcp"

// silent is a prompt that nobody needs to see: the fake server approves.
type silent struct{}

func (silent) ShowCode(context.Context, device.Code) {}

// world is a fake server, a store and an agent in memory, for the inside of a
// synctest bubble. Real sockets have tests of their own.
type world struct {
	t     *testing.T
	srv   *oauthtest.Server
	store *flaky
	audit bytes.Buffer
	agent *Agent
}

// flaky is a store that can be out of reach.
type flaky struct {
	secrets.Memory
	mu   sync.Mutex
	err  error
	gets int
}

func (f *flaky) Get(ctx context.Context, name string) ([]byte, secrets.Version, error) {
	f.mu.Lock()
	f.gets++
	err := f.err
	f.mu.Unlock()
	if err != nil {
		return nil, "", err
	}
	return f.Memory.Get(ctx, name)
}

func (f *flaky) fail(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err = err
}

func newWorld(t *testing.T, ttl time.Duration) *world {
	return &world{t: t, store: &flaky{}, srv: &oauthtest.Server{
		Device: oauthtest.Device{AutoApprove: 1}, Tokens: oauthtest.Tokens{TTL: ttl},
	}}
}

func (w *world) config(profile string) mcplogin.Config {
	return mcplogin.Config{
		Profile: profile, Server: server, Store: w.store,
		Flows: []flows.Flow{&device.Flow{Prompt: silent{}}},
		HTTP:  func(string) *http.Client { return w.srv.Client() },
	}
}

func (w *world) login(profile string) {
	w.t.Helper()
	s, err := mcplogin.Open(w.config(profile))
	if err == nil {
		_, err = s.Login(w.t.Context())
	}
	if err != nil {
		w.t.Error(err)
	}
}

// start runs the agent until stop is called.
func (w *world) start(edit ...func(*Config)) (stop func()) {
	w.t.Helper()
	cfg := Config{Session: w.config(""), Audit: &w.audit}
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

// ask asks as a client of a socket does, and returns the status and the body.
func (w *world) ask(s Socket, profile string) (int, answer, Error) {
	w.t.Helper()
	r := httptest.NewRequestWithContext(w.t.Context(), "GET", profilesPath+"/"+url.PathEscape(profile)+headersPath, nil)
	rec := httptest.NewRecorder()
	door{w.agent, s}.ServeHTTP(rec, r)
	var a answer
	var e Error
	if err := errors.Join(json.Unmarshal(rec.Body.Bytes(), &a), json.Unmarshal(rec.Body.Bytes(), &e)); err != nil {
		w.t.Errorf("%s: %v", rec.Body, err)
	}
	return rec.Code, a, e
}

// metrics returns what /metrics tells.
func (w *world) metrics() string {
	rec := httptest.NewRecorder()
	door{w.agent, Socket{}}.ServeHTTP(rec, httptest.NewRequestWithContext(w.t.Context(), "GET", "/metrics", nil))
	return rec.Body.String()
}

// works reports whether the MCP server takes what was handed out.
func (w *world) works(a answer) bool {
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

func (w *world) refreshes() int { return w.srv.Grants("refresh_token") }

// TestThousandProfiles keeps 1,000 profiles of short life for ten minutes. None
// is ever handed out that the server does not take, and the refreshes are
// spread.
func TestThousandProfiles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const (
			profiles = 1000
			ttl      = 2 * time.Minute
			duration = 10 * time.Minute
		)
		w := newWorld(t, ttl)
		var logins sync.WaitGroup
		for i := range profiles {
			logins.Go(func() { w.login(fmt.Sprint("p", i)) })
		}
		logins.Wait()
		stop := w.start()
		asked, worst, before := 0, 0, w.refreshes()
		begun := before
		for range int(duration / time.Second) {
			time.Sleep(time.Second)
			synctest.Wait()
			for range profiles / 20 { // each about every 20 s
				status, a, e := w.ask(Socket{}, fmt.Sprint("p", rand.N(profiles)))
				if status != http.StatusOK || time.Until(a.Expiry) < ttl/reserve || !w.works(a) {
					t.Fatalf("after %d: status %d, %s left, %s", asked, status, time.Until(a.Expiry), e.Message)
				}
				asked++
			}
			worst = max(worst, w.refreshes()-before)
			before = w.refreshes()
		}
		stop()
		done := before - begun
		t.Logf("%d asked, %d refreshes, at most %d in a second", asked, done, worst)
		least, most := profiles*int(duration/ttl), profiles*int(duration/ttl)*2
		if done < least || done > most {
			t.Errorf("%d refreshes, want %d to %d", done, least, most)
		}
		if worst > profiles/10 {
			t.Errorf("%d refreshes in one second", worst)
		}
		if text := w.metrics(); !strings.Contains(text, "\nmcp_login_agent_clock_jumps_total 0\n") {
			t.Errorf("clock jumps were seen that were none:\n%s", text)
		}
	})
}

// TestFaultsAreRetried: the server is out for a while, longer than the token
// lives. Tries get rarer, requests get "temporary", and afterwards all is well.
func TestFaultsAreRetried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 4*time.Minute)
		w.login("a")
		defer w.start()()
		time.Sleep(time.Minute)
		w.srv.Fault(oauthtest.Token, oauthtest.Fault{Times: 12, Status: http.StatusServiceUnavailable})
		time.Sleep(150 * time.Second) // 3:30: still valid, though it should have been refreshed
		if status, a, _ := w.ask(Socket{}, "a"); status != http.StatusOK || !w.works(a) {
			t.Errorf("while the token is valid: status %d", status)
		}
		time.Sleep(40 * time.Second)
		before := w.srv.Count(oauthtest.Token)
		for range 50 {
			if status, _, e := w.ask(Socket{}, "a"); status != http.StatusServiceUnavailable || e.Code != CodeTemporary {
				t.Fatalf("with an expired token: status %d, %q", status, e.Code)
			}
		}
		if n := w.srv.Count(oauthtest.Token) - before; n > 1 {
			t.Errorf("50 requests at once made %d attempts", n)
		}
		if tries := w.srv.Count(oauthtest.Token); tries < 5 || tries > 12 {
			t.Errorf("%d attempts in the outage", tries)
		}
		time.Sleep(15 * time.Minute)
		if status, a, _ := w.ask(Socket{}, "a"); status != http.StatusOK || !w.works(a) {
			t.Errorf("after the outage: status %d", status)
		}
	})
}

// TestHangingServer: profiles of a server that never answers do not keep those
// of another from being refreshed.
func TestHangingServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 2*time.Minute)
		var other oauthtest.Server
		other.Device.AutoApprove, other.Tokens.TTL = 1, time.Minute
		client := func(s string) *http.Client {
			if strings.Contains(s, "slow") {
				return other.Client()
			}
			return w.srv.Client()
		}
		var logins sync.WaitGroup
		for i := range 2 * workers {
			logins.Go(func() {
				cfg := w.config(fmt.Sprint("slow", i))
				cfg.Server, cfg.HTTP = "https://slow.test/mcp", client
				s, err := mcplogin.Open(cfg)
				if err == nil {
					_, err = s.Login(t.Context())
				}
				if err != nil {
					t.Error(err)
				}
			})
		}
		w.login("a")
		logins.Wait()
		other.Fault(oauthtest.Token, oauthtest.Fault{Times: -1, Hang: true})
		defer w.start(func(c *Config) { c.Session.Server, c.Session.HTTP = "", client })()
		for range 10 {
			time.Sleep(time.Minute)
			synctest.Wait()
			if left := time.Until(w.agent.snapshot(w.agent.kept("a")).last.Token.Expiry); left < 20*time.Second {
				t.Fatalf("only %s left, and nobody refreshes", left)
			}
		}
	})
}

// TestLogins: what a person or another process does to the store is seen.
func TestLogins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 10*time.Minute)
		w.login("a")
		defer w.start()()
		if status, _, e := w.ask(Socket{}, "b"); status != http.StatusConflict || e.Code != CodeLogin || e.Reason == "" {
			t.Errorf("before the login: %d %+v", status, e)
		}
		w.login("b")
		if status, a, e := w.ask(Socket{}, "b"); status != http.StatusOK || !w.works(a) {
			t.Errorf("after the login: %d %+v", status, e)
		}
		w.srv.RevokeAll()
		time.Sleep(11 * time.Minute)
		if status, _, e := w.ask(Socket{}, "b"); status != http.StatusConflict || e.Code != CodeLogin || e.Server != server {
			t.Errorf("after a revocation: %d %+v", status, e)
		}
		w.login("b")
		if status, a, e := w.ask(Socket{}, "b"); status != http.StatusOK || !w.works(a) {
			t.Errorf("after the second login: %d %+v", status, e)
		}
		before := w.refreshes()
		time.Sleep(30 * time.Minute)
		if w.refreshes() == before {
			t.Error("what was logged in again is not refreshed")
		}
		s, _ := mcplogin.Open(w.config("b"))
		if err := s.Clear(t.Context()); err != nil {
			t.Fatal(err)
		}
		if status, _, e := w.ask(Socket{}, "b"); status != http.StatusConflict {
			t.Errorf("after it was removed: %d %+v", status, e)
		}
	})
}

// TestRefreshOfOthers: what another process has refreshed is not refreshed
// once more.
func TestRefreshOfOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 10*time.Minute)
		w.login("a")
		defer w.start()()
		s, _ := mcplogin.Open(w.config("a"))
		time.Sleep(4 * time.Minute)
		if _, err := s.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(4 * time.Minute) // past three quarters of the first life, before half of the second
		if n := w.refreshes(); n != 1 {
			t.Errorf("%d refreshes, want 1", n)
		}
	})
}

// TestUnknownNamesAreCheap: asking for what is not there does not have every
// record read.
func TestUnknownNamesAreCheap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, time.Hour)
		for i := range 20 {
			w.login(fmt.Sprint("p", i))
		}
		defer w.start()()
		before := w.store.gets
		for range 10 {
			w.ask(Socket{}, "nobody")
		}
		synctest.Wait()
		if n := w.store.gets - before; n > 0 {
			t.Errorf("%d records were read", n)
		}
	})
}

// TestStoreOut: an outage of the store does not stop hand-outs.
func TestStoreOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 10*time.Minute)
		w.login("a")
		defer w.start()()
		w.store.fail(fmt.Errorf("%w: sealed", secrets.ErrTemporary))
		if status, a, _ := w.ask(Socket{}, "a"); status != http.StatusOK || !w.works(a) {
			t.Errorf("with a token in memory: %d", status)
		}
		time.Sleep(11 * time.Minute)
		if status, _, e := w.ask(Socket{}, "a"); status != http.StatusServiceUnavailable || e.Code != CodeTemporary {
			t.Errorf("with an expired one: %d %+v", status, e)
		}
		w.store.fail(fmt.Errorf("%w: refused", secrets.ErrUnavailable))
		if _, _, e := w.ask(Socket{}, "a"); e.Code != CodeStore {
			t.Errorf("with a store that refuses: %+v", e)
		}
		w.store.fail(nil)
		if status, a, _ := w.ask(Socket{}, "a"); status != http.StatusOK || !w.works(a) {
			t.Errorf("afterwards: %d", status)
		}
	})
}

// TestClockSetBack: expiries are worth nothing then, so every token is
// refreshed, at once where it is asked for.
func TestClockSetBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, time.Hour)
		const profiles = 20
		for i := range profiles {
			w.login(fmt.Sprint("p", i))
		}
		defer w.start()()
		_, first, _ := w.ask(Socket{}, "p0")
		w.agent.jumped(-time.Hour)
		if _, now, _ := w.ask(Socket{}, "p0"); now.Headers["Authorization"] == first.Headers["Authorization"] {
			t.Error("a token was handed out whose expiry is not known")
		}
		if n := w.refreshes(); n != 1 {
			t.Errorf("%d refreshes at once, want the one that was asked for", n)
		}
		time.Sleep(spread + lookEvery)
		if n := w.refreshes(); n != profiles {
			t.Errorf("%d refreshes, want %d", n, profiles)
		}
		w.agent.jumped(time.Hour)
		time.Sleep(lookEvery)
		if n := w.refreshes(); n != profiles {
			t.Error("tokens were refreshed that a jump forward did not make due")
		}
	})
}

// TestLoginFromTheFuture: after a login under a clock that was set back since,
// tokens are refreshed in time as others are, not when they have expired.
func TestLoginFromTheFuture(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, time.Hour)
		w.login("a")
		data, v, err := w.store.Memory.Get(t.Context(), "a")
		if err != nil {
			t.Fatal(err)
		}
		c, err := mcplogin.ParseCredential(data)
		if err != nil {
			t.Fatal(err)
		}
		c.LoggedInAt, c.Token.Expiry = c.LoggedInAt.Add(9*time.Hour), c.Token.Expiry.Add(9*time.Hour)
		if data, err = json.Marshal(c); err != nil {
			t.Fatal(err)
		}
		if _, err := w.store.Memory.Put(t.Context(), "a", data, v); err != nil {
			t.Fatal(err)
		}
		defer w.start()()
		time.Sleep(50 * time.Minute)
		if n := w.refreshes(); n != 2 {
			t.Errorf("%d refreshes in 50 minutes of tokens that live for an hour, want 2", n)
		}
	})
}

// TestWatch: time that passes is no jump.
func TestWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var w watch
		for range 3 {
			if by := w.jump(time.Now()); by != 0 {
				t.Errorf("jump by %s", by)
			}
			time.Sleep(time.Hour)
		}
	})
}

// TestSleptPastExpiry: an agent that slept past an expiry never hands that token out.
func TestSleptPastExpiry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, time.Hour)
		w.login("a")
		stop := w.start()
		stop()
		time.Sleep(2 * time.Hour)
		defer w.start()()
		if status, a, _ := w.ask(Socket{}, "a"); status != http.StatusOK || !w.works(a) || time.Until(a.Expiry) < 59*time.Minute {
			t.Errorf("status %d, %s left", status, time.Until(a.Expiry))
		}
	})
}

// TestLimitedSocket hands out what it may, and tells nothing of the rest.
func TestLimitedSocket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, time.Hour)
		w.login("a")
		w.login("b")
		defer w.start()()
		limited := Socket{Name: "forwarded", Allow: []string{"a"}}
		if status, a, _ := w.ask(limited, "a"); status != http.StatusOK || !w.works(a) {
			t.Errorf("allowed: %d", status)
		}
		for _, name := range []string{"b", "nobody"} {
			if status, _, e := w.ask(limited, name); status != http.StatusForbidden || e.Code != CodeDenied {
				t.Errorf("%s: %d %+v", name, status, e)
			}
		}
		for path, want := range map[string]int{"/metrics": 404, "/v1/health": 200, "/v1/profiles": 200, "/v1/profiles/a": 200, "/v1/profiles/x": 403} {
			rec := httptest.NewRecorder()
			door{w.agent, limited}.ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), "GET", path, nil))
			if rec.Code != want || strings.Contains(rec.Body.String(), `"b"`) {
				t.Errorf("%s: %d %s", path, rec.Code, rec.Body)
			}
		}
	})
}

// TestAudit: one line for each request, whatever came of it, and no token.
func TestAudit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, time.Hour)
		w.login("a")
		no := errors.New("no, said the person")
		defer w.start(func(c *Config) {
			c.Confirm = func(_ context.Context, r Request) error {
				if r.Socket == "asks" {
					return no
				}
				return nil
			}
		})()
		w.ask(Socket{}, "a")
		w.ask(Socket{Allow: []string{}}, "a")
		w.ask(Socket{}, "nobody")
		if _, _, e := w.ask(Socket{Name: "asks"}, "a"); e.Code != CodeDenied || !strings.Contains(e.Message, no.Error()) {
			t.Errorf("refused by a person: %+v", e)
		}
		var outcomes []string
		for line := range strings.Lines(w.audit.String()) {
			var r Request
			if err := json.Unmarshal([]byte(line), &r); err != nil || r.Time.IsZero() || r.Profile == "" || r.Socket == "" {
				t.Errorf("%s: %v", line, err)
			}
			outcomes = append(outcomes, r.Outcome)
		}
		if want := []string{handedOut, "denied", "login_required", "denied"}; !slices.Equal(outcomes, want) {
			t.Errorf("outcomes %q, want %q", outcomes, want)
		}
		for _, secret := range w.srv.Issued() {
			if strings.Contains(w.audit.String(), secret) {
				t.Errorf("a secret is in the audit log:\n%s", &w.audit)
			}
		}
	})
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("disk full") }

// TestNoAuditNoToken: what cannot be recorded is not handed out.
func TestNoAuditNoToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, time.Hour)
		w.login("a")
		defer w.start(func(c *Config) { c.Audit = broken{} })()
		if status, a, _ := w.ask(Socket{}, "a"); status != http.StatusInternalServerError || a.Headers != nil {
			t.Errorf("status %d, %v", status, a.Headers)
		}
	})
}

// TestReload: profiles come and go.
func TestReload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 10*time.Minute)
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

// TestAdapt: what differs for one profile holds for it, and is asked again by a
// reload. What was known of it stays.
func TestAdapt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 10*time.Minute)
		other := *newWorld(t, 10*time.Minute)
		other.srv = w.srv
		w.login("a")
		other.login("b")
		minTTL := time.Duration(0)
		defer w.start(func(c *Config) {
			c.Profiles = func(context.Context) ([]string, error) { return []string{"a", "b"}, nil }
			c.Adapt = func(profile string, cfg *mcplogin.Config) error {
				if profile == "b" {
					cfg.Store = other.store
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
		seen := w.agent.snapshot(w.agent.kept("a"))
		minTTL = 8 * time.Minute // of which a quarter of the life is given
		w.store.fail(errors.New("out"))
		if err := w.agent.Reload(t.Context()); err != nil {
			t.Fatal(err)
		}
		if now := w.agent.snapshot(w.agent.kept("a")); now.last.Token.Access != seen.last.Token.Access {
			t.Error("a reload forgot the token")
		}
		w.store.fail(nil)
		w.ask(Socket{}, "a")
		if p := w.agent.kept("a"); p.minTTL != minTTL {
			t.Errorf("MinTTL is %s after the reload", p.minTTL)
		}
	})
}

// TestBrokenProfile: one that cannot be opened keeps no other from being kept,
// and is tried again.
func TestBrokenProfile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 10*time.Minute)
		w.login("a")
		w.login("b")
		var broken atomic.Bool
		broken.Store(true)
		defer w.start(func(c *Config) {
			c.Adapt = func(profile string, _ *mcplogin.Config) error {
				if profile == "b" && broken.Load() {
					return errors.New("no such file")
				}
				return nil
			}
		})()
		if status, _, _ := w.ask(Socket{}, "a"); status != http.StatusOK {
			t.Errorf("the other one: status %d", status)
		}
		if status, _, e := w.ask(Socket{}, "b"); status != http.StatusInternalServerError || !strings.Contains(e.Message, `"b": no such file`) {
			t.Errorf("the broken one: status %d, %+v", status, e)
		}
		if state := w.agent.snapshot(w.agent.kept("b")).state(); state != stateFaulty {
			t.Errorf("it is %s", state)
		}
		broken.Store(false)
		time.Sleep(2 * maxPause)
		synctest.Wait()
		if state := w.agent.snapshot(w.agent.kept("b")).state(); state != stateFresh {
			t.Errorf("mended, it is %s", state)
		}
	})
}

// TestNewLogins are found without anybody asking.
func TestNewLogins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 10*time.Minute)
		w.login("a")
		defer w.start()()
		w.login("b")
		time.Sleep(2 * surveyEvery)
		synctest.Wait()
		if p := w.agent.kept("b"); p == nil || w.agent.snapshot(p).state() != stateFresh {
			t.Error("the new profile is not kept")
		}
	})
}

// TestSlowServer: who has a valid token does not wait long for a server that
// takes its time, its answer is not lost, and nothing expired is handed out.
func TestSlowServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 4*time.Minute)
		w.login("a")
		stop := w.start(func(c *Config) { c.Session.MinTTL = time.Hour })
		defer stop()
		w.srv.Fault(oauthtest.Token, oauthtest.Fault{Times: -1, Hang: true})
		expired := false
		for range 40 {
			time.Sleep(10 * time.Second)
			begin := time.Now()
			status, a, e := w.ask(Socket{}, "a")
			switch took := time.Since(begin); {
			case status == http.StatusOK && (!w.works(a) || took > patience):
				t.Errorf("handed out after %s, with %s left", took, time.Until(a.Expiry))
			case status == http.StatusServiceUnavailable:
				expired = true
			case status != http.StatusOK:
				t.Errorf("status %d, %+v", status, e)
			}
		}
		if !expired {
			t.Error("the token never expired")
		}
	})
}

// TestDrain: a refresh that has begun when the agent is to end is stored.
func TestDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 10*time.Minute)
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
			t.Errorf("the refresh was not ended: %v", err)
		}
	})
}

// TestNoRefreshToken: such a token is handed out as long as it lives.
func TestNoRefreshToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 10*time.Minute)
		w.srv.Tokens.NoRefresh = true
		w.login("a")
		defer w.start()()
		for range 9 {
			time.Sleep(time.Minute)
			if status, a, e := w.ask(Socket{}, "a"); status != http.StatusOK || !w.works(a) {
				t.Errorf("status %d, %+v", status, e)
			}
		}
		time.Sleep(2 * time.Minute)
		if status, _, e := w.ask(Socket{}, "a"); status != http.StatusConflict {
			t.Errorf("expired: status %d, %+v", status, e)
		}
	})
}

// TestShortLives: a token that lives for less than the least life is not
// refreshed for each request.
func TestShortLives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 20*time.Second)
		w.login("a")
		defer w.start()()
		for range 100 {
			if status, a, _ := w.ask(Socket{}, "a"); status != http.StatusOK || !w.works(a) {
				t.Errorf("status %d", status)
			}
		}
		if n := w.refreshes(); n > 1 {
			t.Errorf("%d refreshes for 100 requests", n)
		}
	})
}
