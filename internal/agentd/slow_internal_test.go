package agentd

import (
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
	"github.com/mcp-login/mcp-login/agent"
	"github.com/mcp-login/mcp-login/oauth/oauthtest"
)

// TestFaultsAreRetried: during an outage that is longer than the token's lifetime,
// retries slow down, requests get "temporary", and afterwards everything works
// again.
func TestFaultsAreRetried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newFixture(t, 4*time.Minute)
		w.login("a")
		defer w.start()()
		time.Sleep(time.Minute)
		w.srv.Fault(oauthtest.Token, oauthtest.Fault{Times: 12, Status: http.StatusServiceUnavailable})
		time.Sleep(150 * time.Second) // 3:30: still valid, though a refresh was due
		if status, a, _ := w.ask(Socket{}, "a"); status != http.StatusOK || !w.works(a) {
			t.Errorf("while the token is valid: status %d", status)
		}
		time.Sleep(40 * time.Second)
		before := w.srv.Count(oauthtest.Token)
		for range 50 {
			if status, _, e := w.ask(Socket{}, "a"); status != http.StatusServiceUnavailable || e.Code != agent.CodeTemporary {
				t.Fatalf("with an expired token: status %d, %q", status, e.Code)
			}
		}
		if n := w.srv.Count(oauthtest.Token) - before; n > 1 {
			t.Errorf("50 concurrent requests made %d attempts", n)
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

// TestHangingServer: a server that never responds does not block refreshes at
// another server.
func TestHangingServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newFixture(t, 2*time.Minute)
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
					_, err = s.Login(t.Context(), byDevice())
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
				t.Fatalf("only %s left, and no refresh", left)
			}
		}
	})
}

// TestBrokenProfile: a profile that cannot be opened does not affect the others,
// and is retried.
func TestBrokenProfile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newFixture(t, 10*time.Minute)
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
			t.Errorf("the other profile: status %d", status)
		}
		if status, _, e := w.ask(Socket{}, "b"); status != http.StatusInternalServerError || !strings.Contains(e.Message, `"b": no such file`) {
			t.Errorf("the broken profile: status %d, %+v", status, e)
		}
		if state := w.agent.snapshot(w.agent.kept("b")).state(); state != stateFaulty {
			t.Errorf("the state is %s", state)
		}
		broken.Store(false)
		time.Sleep(2 * maxPause)
		synctest.Wait()
		if state := w.agent.snapshot(w.agent.kept("b")).state(); state != stateFresh {
			t.Errorf("after the repair the state is %s", state)
		}
	})
}

// TestSlowServer: a client with a valid token does not wait long for a slow server.
// The server's response is not lost, and no expired token is issued.
func TestSlowServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newFixture(t, 4*time.Minute)
		w.login("a")
		stop := w.start(func(c *Config) { c.Session.MinTTL = time.Hour })
		defer stop()
		w.srv.Fault(oauthtest.Token, oauthtest.Fault{Times: -1, Hang: true})
		expired := false
		for range 40 {
			time.Sleep(10 * time.Second)
			start := time.Now()
			status, a, e := w.ask(Socket{}, "a")
			switch took := time.Since(start); {
			case status == http.StatusOK && (!w.works(a) || took > maxWait):
				t.Errorf("issued after %s, with %s left", took, time.Until(a.Expiry))
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
