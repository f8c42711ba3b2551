package mcplogin_test

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/oauth"
	"github.com/mcp-login/mcp-login/oauth/oauthtest"
)

// TestMaxWait: a caller with a valid token does not wait for a slow server, and the
// server's response is not lost.
func TestMaxWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := loggedIn(t, 2*time.Minute)
		time.Sleep(90 * time.Second)
		w.srv.Fault(oauthtest.Token, oauthtest.Fault{Delay: 20 * time.Second})
		s := w.open(t, func(c *sessionConfig) { c.Renewal.MaxWait = 5 * time.Second })
		start := time.Now()
		var callers sync.WaitGroup
		for range 50 {
			callers.Go(func() {
				if token, err := s.Token(t.Context()); err != nil || !w.works(t, token) {
					t.Errorf("Token() = %v while the server is slow", err)
				}
			})
		}
		callers.Wait()
		if took := time.Since(start); took != 5*time.Second {
			t.Errorf("it took %s", took)
		}
		time.Sleep(20 * time.Second)
		if token, err := s.Token(t.Context()); err != nil || time.Until(token.Expiry) < time.Minute {
			t.Errorf("the response was lost: %v, for %s", err, time.Until(token.Expiry))
		}
		if n := w.srv.Grants("refresh_token"); n != 1 {
			t.Errorf("%d refreshes, want 1", n)
		}
	})
}

// TestOneWaitsForAll: while one process waits for a server that hangs, the others
// continue with the existing token. The waiting process must not give up, because
// the response would be lost.
func TestOneWaitsForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := loggedIn(t, 10*time.Minute)
		time.Sleep(9*time.Minute + 10*time.Second)
		w.srv.Fault(oauthtest.Token, oauthtest.Fault{Delay: 20 * time.Second})
		start := time.Now()
		var mu sync.Mutex
		took := map[time.Duration]int{}
		var processes sync.WaitGroup
		for range 20 {
			processes.Go(func() {
				token, err := w.open(t).Token(t.Context())
				if err != nil || !w.works(t, token) {
					t.Errorf("Token() = %v", err)
				}
				mu.Lock()
				took[time.Since(start)]++
				mu.Unlock()
			})
		}
		processes.Wait()
		if took[20*time.Second] != 1 || took[5*time.Second] != 19 {
			t.Errorf("they took %v, want 20 s for one and 5 s for the others", took)
		}
		if n := w.srv.Grants("refresh_token"); n != 1 {
			t.Errorf("%d refreshes, want 1", n)
		}
	})
}

// slowBroker responds immediately the first time, and then takes a minute, as if it
// prompted the user.
type slowBroker struct{ countingBroker }

func (l *slowBroker) Issue(ctx context.Context, profile string, minTTL time.Duration, rejected string) (mcplogin.Credential, error) {
	if l.n > 0 {
		time.Sleep(time.Minute)
	}
	return l.countingBroker.Issue(ctx, profile, minTTL, rejected)
}

// TestMaxWaitWithABroker: a slow broker gets one request, and meanwhile the last
// token is used.
func TestMaxWaitWithABroker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := loggedIn(t, 4*time.Minute)
		broker := &slowBroker{countingBroker{t: t, w: w}}
		s, err := mcplogin.Open(mcplogin.Config{Profile: "p", Source: mcplogin.Brokered(broker), Renewal: mcplogin.Renewal{MaxWait: 5 * time.Second}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Token(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(3*time.Minute + 5*time.Second)
		for range 3 {
			if token, err := s.Token(t.Context()); err != nil || !w.works(t, token) {
				t.Errorf("Token() = %v while the broker is slow", err)
			}
		}
		time.Sleep(time.Minute)
		if token, err := s.Token(t.Context()); err != nil || !w.works(t, token) {
			t.Errorf("Token() = %v", err)
		}
		if broker.n != 2 {
			t.Errorf("%d requests to the broker, want 2", broker.n)
		}
	})
}

// TestMaxWaitWithoutAToken: without a valid token, MaxWait has no effect.
func TestMaxWaitWithoutAToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := loggedIn(t, time.Minute)
		time.Sleep(2 * time.Minute)
		w.srv.Fault(oauthtest.Token, oauthtest.Fault{Delay: 20 * time.Second})
		s := w.open(t, func(c *sessionConfig) { c.Renewal.MaxWait = 5 * time.Second })
		short, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		if _, err := s.Token(short); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Token() = %v of a caller that does not wait", err)
		}
		if token, err := s.Token(t.Context()); err != nil || !w.works(t, token) {
			t.Errorf("Token() = %v", err)
		}
		if n := w.srv.Grants("refresh_token"); n != 1 {
			t.Errorf("%d refreshes, want 1", n)
		}
	})
}

// TestRefreshThatNeverReachedTheServer: a refresh that never reached the server is
// not recorded as started, because no response can have been lost.
func TestRefreshThatNeverReachedTheServer(t *testing.T) {
	for _, tt := range []struct {
		name     string
		fails    func(*fixture) http.RoundTripper
		recorded bool
	}{
		{"no listener", func(*fixture) http.RoundTripper {
			return roundTripper(func(*http.Request) (*http.Response, error) {
				return nil, &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
			})
		}, false},
		{"too many requests", func(w *fixture) http.RoundTripper {
			w.srv.Fault(oauthtest.Token, oauthtest.Fault{Status: http.StatusTooManyRequests})
			return w.srv
		}, false},
		{"the connection breaks", func(w *fixture) http.RoundTripper {
			w.srv.Fault(oauthtest.Token, oauthtest.Fault{Drop: true})
			return w.srv
		}, true},
		{"a gateway error", func(w *fixture) http.RoundTripper {
			w.srv.Fault(oauthtest.Token, oauthtest.Fault{Status: http.StatusBadGateway})
			return w.srv
		}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := loggedIn(t, time.Minute)
				route := tt.fails(w)
				s := w.open(t, func(c *sessionConfig) {
					c.HTTP = func(string) *http.Client { return &http.Client{Transport: route} }
				})
				if _, err := s.Refresh(t.Context()); err == nil {
					t.Fatal("no error")
				}
				c, err := s.Credential(t.Context())
				if err != nil || c.RefreshBegunAt.IsZero() == tt.recorded {
					t.Errorf("started at %v, %v", c.RefreshBegunAt, err)
				}
				if _, err := w.open(t).Refresh(t.Context()); err != nil {
					t.Errorf("afterwards: %v", err)
				}
			})
		})
	}
}

// TestShortLifetimesAreUsed: tokens with a lifetime below MinTTL are not refreshed for
// each request.
func TestShortLifetimesAreUsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := loggedIn(t, 40*time.Second)
		s := w.open(t) // MinTTL is a minute
		for range 60 {
			if token, err := s.Token(t.Context()); err != nil || !w.works(t, token) {
				t.Errorf("Token() = %v", err)
			}
			time.Sleep(2 * time.Second)
		}
		if n := w.srv.Grants("refresh_token"); n < 3 || n > 4 {
			t.Errorf("%d refreshes in two minutes, want one each 30 seconds", n)
		}
	})
}

// countingBroker is a broker that counts requests.
type countingBroker struct {
	t testing.TB
	w *fixture
	n int
}

func (l *countingBroker) Issue(ctx context.Context, _ string, minTTL time.Duration, _ string) (mcplogin.Credential, error) {
	l.n++
	s := l.w.open(l.t, func(c *sessionConfig) { c.MinTTL = min(minTTL, 10*time.Second) })
	c, err := s.Current(ctx)
	return mcplogin.Credential{Profile: c.Profile, Server: c.Server, Token: oauth.Token{Access: c.Token.Access, Type: "Bearer", Expiry: c.Token.Expiry}}, err
}

// TestBrokeredTokensAreKept: a token of a broker is used for most of its lifetime, and
// not requested each time.
func TestBrokeredTokensAreKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := loggedIn(t, 40*time.Second)
		broker := &countingBroker{t: t, w: w}
		s, err := mcplogin.Open(mcplogin.Config{Profile: "p", Source: mcplogin.Brokered(broker)})
		if err != nil {
			t.Fatal(err)
		}
		for range 120 {
			if token, err := s.Token(t.Context()); err != nil || !w.works(t, token) {
				t.Fatalf("Token() = %v", err)
			}
			time.Sleep(time.Second)
		}
		if broker.n > 12 {
			t.Errorf("%d requests to the broker in two minutes", broker.n)
		}
	})
}

// setClockBack changes the stored credential as if it was issued by a clock that was
// ahead by that much, and the clock was set back since.
func (w *fixture) setClockBack(t *testing.T, by time.Duration) {
	t.Helper()
	data, v, err := w.store.Get(t.Context(), "p")
	if err != nil {
		t.Fatal(err)
	}
	c, err := mcplogin.ParseCredential(data)
	if err != nil {
		t.Fatal(err)
	}
	c.LoggedInAt, c.Token.Expiry = c.LoggedInAt.Add(by), c.Token.Expiry.Add(by)
	if data, err = json.Marshal(c); err != nil {
		t.Fatal(err)
	}
	if _, err := w.store.Put(t.Context(), "p", data, v); err != nil {
		t.Fatal(err)
	}
}

func TestClockSetBackSinceTheLogin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := loggedIn(t, time.Hour)
		w.setClockBack(t, 9*time.Hour)
		time.Sleep(2 * time.Hour) // the token has expired, but the record says otherwise
		for range 2 {
			token, err := w.open(t).Token(t.Context())
			if err != nil || !w.works(t, token) {
				t.Errorf("Token() = %v, which the server may reject", err)
			}
		}
		if n := w.srv.Grants("refresh_token"); n != 1 {
			t.Errorf("%d refreshes, want 1", n)
		}
	})
}

func TestClocksOfHostsDiffer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := loggedIn(t, time.Hour)
		w.setClockBack(t, time.Minute)
		if _, err := w.open(t).Token(t.Context()); err != nil || w.srv.Grants("refresh_token") != 0 {
			t.Errorf("Token() = %v, after %d refreshes, want none", err, w.srv.Grants("refresh_token"))
		}
	})
}

// listened is a context that knows whether Done was called.
type listened struct {
	context.Context
	yes *atomic.Bool
}

func (c listened) Done() <-chan struct{} {
	c.yes.Store(true)
	return c.Context.Done()
}

// TestRefreshListensFirst: a program may listen for signals only once something waits
// for the end of its context. It must do so before the server replaces the refresh
// token: a signal that ended it then would lose the new one.
func TestRefreshListensFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := loggedIn(t, time.Minute)
		time.Sleep(time.Hour)
		ctx := listened{t.Context(), new(atomic.Bool)}
		var requests int
		s := w.open(t, func(a *sessionConfig) {
			a.HTTP = func(string) *http.Client {
				return &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
					requests++
					if !ctx.yes.Load() {
						t.Errorf("%s: Done was not called", r.URL)
					}
					return w.srv.Client().Transport.RoundTrip(r)
				})}
			}
		})
		if _, err := s.Current(ctx); err != nil || requests == 0 {
			t.Errorf("%d requests: %v", requests, err)
		}
	})
}
