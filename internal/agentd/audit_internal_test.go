package agentd

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mcp-login/mcp-login/agent"
)

// TestUnloggedIsNotCounted: a request that is rejected because it cannot be
// logged does not count as issued in the metrics.
func TestUnloggedIsNotCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newFixture(t, time.Hour)
		w.login("a")
		defer w.start(func(c *Config) { c.Audit = fullDiskWriter{} })()
		w.ask(Socket{}, "a")
		for _, want := range []string{`{result="handed_out"} 0`, `{result="failed"} 1`} {
			if text := w.metrics(); !strings.Contains(text, "\nmcp_login_agent_requests_total"+want+"\n") {
				t.Errorf("no %s in the metrics:\n%s", want, text)
			}
		}
	})
}

// TestAuditTimes: a line has the time of the request, and also that of the decision
// if it took long.
func TestAuditTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newFixture(t, time.Hour)
		w.login("a")
		answers := map[string]time.Duration{"quick": 0, "slow": 40 * time.Second}
		defer w.start(func(c *Config) {
			c.Confirm = func(_ context.Context, r Request) error {
				time.Sleep(answers[r.Socket])
				return errors.New("no")
			}
		})()
		for socket, wait := range answers {
			w.audit.Reset()
			came := time.Now()
			w.ask(Socket{Name: socket}, "a")
			var r Request
			if err := json.Unmarshal(w.audit.Bytes(), &r); err != nil {
				t.Fatal(err)
			}
			if !r.Time.Equal(came) || r.Decided.IsZero() != (wait == 0) || wait > 0 && !r.Decided.Equal(came.Add(wait)) {
				t.Errorf("%s: %s", socket, &w.audit)
			}
		}
	})
}

// TestFlood: the growth of the audit log by one client is bounded, but every issued
// token is logged.
func TestFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newFixture(t, time.Hour)
		w.login("a")
		defer w.start()()
		issued, rejected, seconds := 0, 0, 60
		for range seconds {
			for range 500 {
				status, _, e := w.ask(Socket{}, "a")
				switch {
				case status == http.StatusOK:
					issued++
				case status == http.StatusTooManyRequests && e.Code == agent.CodeTemporary:
					rejected++
				default:
					t.Fatalf("status %d, %+v", status, e)
				}
			}
			time.Sleep(time.Second)
		}
		if highest := burst + perSecond*seconds; issued > highest || issued < highest-perSecond {
			t.Errorf("%d of %d tokens were issued", issued, issued+rejected)
		}
		if n := strings.Count(w.audit.String(), outcomeIssued); n != issued {
			t.Errorf("%d of %d issued tokens are in the audit log", n, issued)
		}
		if n := strings.Count(w.audit.String(), "rejected since"); n < 3 || n > seconds/int(reportEvery/time.Second) {
			t.Errorf("%d lines about %d rejected requests", n, rejected)
		}
		if status, _, _ := w.ask(Socket{Name: "other"}, "a"); status != http.StatusOK {
			t.Errorf("another socket: status %d", status)
		}
		time.Sleep(time.Minute)
		if status, _, _ := w.ask(Socket{}, "a"); status != http.StatusOK {
			t.Errorf("later: status %d", status)
		}
	})
}

// TestDegraded: an agent that cannot issue tokens does not report itself healthy.
func TestDegraded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newFixture(t, 10*time.Minute)
		health := func(want string) {
			t.Helper()
			synctest.Wait()
			for _, s := range []Socket{{}, {Allow: []string{"a"}}} {
				if h := (handler{w.agent, s}).health(); h.Status != want {
					t.Errorf("%+v: %+v, want %q", s.Allow, h, want)
				}
			}
		}
		stop := w.start()
		health("ok") // no profiles
		w.login("a")
		stop()
		defer w.start()()
		health("ok")
		w.srv.RevokeAll()
		time.Sleep(11 * time.Minute)
		health("degraded")
		w.login("b")
		w.ask(Socket{}, "b")
		if h := (handler{w.agent, Socket{}}).health(); h.Status != "ok" {
			t.Errorf("with a healthy profile: %+v", h)
		}
		if h := (handler{w.agent, Socket{Allow: []string{"a"}}}).health(); h.Status != "degraded" {
			t.Errorf("a socket without that profile: %+v", h)
		}
	})
}
