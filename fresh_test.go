package mcplogin_test

import (
	"errors"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/oauth/oauthtest"
)

// TestFreshIsShared: concurrent callers share one refresh, and a failed one is not
// repeated immediately.
func TestFreshIsShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := loggedIn(t, 10*time.Minute)
		s := w.open(t)
		all := func(need mcplogin.Need) (failed int) {
			c, err := s.Accepted(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			var mu sync.Mutex
			var callers sync.WaitGroup
			for range 50 {
				callers.Go(func() {
					got, err := s.Fresh(t.Context(), c, need)
					mu.Lock()
					defer mu.Unlock()
					if err != nil || !w.works(t, got.Token) {
						failed++
					}
				})
			}
			callers.Wait()
			return failed
		}
		if failed := all(mcplogin.Need{}); failed > 0 || w.srv.Grants(grantRefresh) != 0 {
			t.Errorf("%d of 50 failed, %d refreshes for a token that is fresh", failed, w.srv.Grants(grantRefresh))
		}
		time.Sleep(5 * time.Minute)
		if failed := all(mcplogin.Need{MinTTL: 8 * time.Minute}); failed > 0 || w.srv.Grants(grantRefresh) != 1 {
			t.Errorf("%d of 50 failed, %d refreshes, want one", failed, w.srv.Grants(grantRefresh))
		}
		time.Sleep(9*time.Minute + 30*time.Second)
		before := w.srv.Count(oauthtest.Token)
		w.srv.Fault(oauthtest.Token, oauthtest.Fault{Times: -1, Status: http.StatusServiceUnavailable})
		if failed := all(mcplogin.Need{}); failed > 0 || w.srv.Count(oauthtest.Token) != before+1 {
			t.Errorf("%d of 50 failed with a token that is still valid, %d requests during an outage", failed, w.srv.Count(oauthtest.Token)-before)
		}
	})
}

// TestFreshRejected: a token that was just refreshed is not refreshed again because
// the MCP server rejects it.
func TestFreshRejected(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := loggedIn(t, time.Hour)
		s := w.open(t)
		c, err := s.Accepted(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		next, err := s.Fresh(t.Context(), c, mcplogin.Need{Rejected: true})
		if err != nil || next.Token.Access == c.Token.Access {
			t.Fatalf("Fresh() = the rejected token, %v", err)
		}
		if _, err := s.Fresh(t.Context(), next, mcplogin.Need{Rejected: true}); !errors.Is(err, mcplogin.ErrJustRefreshed) {
			t.Errorf("Fresh() = %v, want ErrJustRefreshed", err)
		}
		time.Sleep(11 * time.Second)
		if again, err := s.Fresh(t.Context(), next, mcplogin.Need{Rejected: true}); err != nil || again.Token.Access == next.Token.Access {
			t.Errorf("after the interval: the rejected token, %v", err)
		}
	})
}

// TestFreshDoesNotWaitLong: a caller with a valid token continues without the
// result of a slow refresh, which is still stored.
func TestFreshDoesNotWaitLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := loggedIn(t, 10*time.Minute)
		s := w.open(t, func(a *sessionConfig) { a.Renewal.MaxWait = 5 * time.Second })
		time.Sleep(9*time.Minute + 15*time.Second)
		w.srv.Fault(oauthtest.Token, oauthtest.Fault{Delay: 20 * time.Second})
		c, err := s.Accepted(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		got, err := s.Fresh(t.Context(), c, mcplogin.Need{})
		if took := time.Since(start); err != nil || got.Token.Access != c.Token.Access || took != 5*time.Second {
			t.Errorf("Fresh() = %v after %s, want the old token after 5 s", err, took)
		}
		s.Wait()
		if now, err := s.Accepted(t.Context()); err != nil || now.Token.Access == c.Token.Access {
			t.Errorf("the refresh was lost: %v", err)
		}
	})
}
