package agentd

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	mcplogin "github.com/mcp-login/mcp-login"
)

// TestClockSetBack: after the clock was set back, expiry times are invalid, so
// every token is refreshed, immediately if it is requested.
func TestClockSetBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newFixture(t, time.Hour)
		const profiles = 20
		for i := range profiles {
			w.login(fmt.Sprint("p", i))
		}
		defer w.start()()
		_, first, _ := w.ask(Socket{}, "p0")
		w.agent.jumped(-time.Hour)
		if _, now, _ := w.ask(Socket{}, "p0"); now.Headers["Authorization"] == first.Headers["Authorization"] {
			t.Error("a token of unknown expiry was issued")
		}
		if n := w.refreshes(); n != 1 {
			t.Errorf("%d refreshes immediately, want the requested one", n)
		}
		time.Sleep(spread + lookEvery)
		if n := w.refreshes(); n != profiles {
			t.Errorf("%d refreshes, want %d", n, profiles)
		}
		w.agent.jumped(time.Hour)
		time.Sleep(lookEvery)
		if n := w.refreshes(); n != profiles {
			t.Error("a jump forward refreshed tokens that are not due")
		}
	})
}

// TestLoginBeforeClockWasSetBack: after a login under a clock that was set back
// since then, tokens are refreshed on time, and not only after they have expired.
func TestLoginBeforeClockWasSetBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newFixture(t, time.Hour)
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
			t.Errorf("%d refreshes in 50 minutes of tokens with a lifetime of an hour, want 2", n)
		}
	})
}

// TestNoClockJump: the passage of time is not a jump.
func TestNoClockJump(t *testing.T) {
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

// TestNoRefreshToken: a token without a refresh token is issued until it expires.
func TestNoRefreshToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newFixture(t, 10*time.Minute)
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

// TestShortLifetimes: a token with a lifetime below the minimum is not refreshed for
// each request.
func TestShortLifetimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newFixture(t, 20*time.Second)
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

// TestSleptPastExpiry: an agent on a machine that was suspended never issues a
// token that expired meanwhile.
func TestSleptPastExpiry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newFixture(t, time.Hour)
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
