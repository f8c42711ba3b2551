package agentd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mcp-login/mcp-login/agent"
)

// TestUnknownNamesAreCheap: a request for an unknown profile does not read every
// record.
func TestUnknownNamesAreCheap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newFixture(t, time.Hour)
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

// TestLimitedSocket: a limited socket issues tokens of its profiles, and reveals
// nothing about others.
func TestLimitedSocket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newFixture(t, time.Hour)
		w.login("a")
		w.login("b")
		defer w.start()()
		limited := Socket{Name: "forwarded", Allow: []string{"a"}}
		if status, a, _ := w.ask(limited, "a"); status != http.StatusOK || !w.works(a) {
			t.Errorf("allowed: %d", status)
		}
		for _, name := range []string{"b", "nobody"} {
			if status, _, e := w.ask(limited, name); status != http.StatusForbidden || e.Code != agent.CodeDenied {
				t.Errorf("%s: %d %+v", name, status, e)
			}
		}
		for path, want := range map[string]int{"/metrics": 404, "/v1/health": 200, "/v1/profiles": 200, "/v1/profiles/a": 200, "/v1/profiles/x": 403} {
			rec := httptest.NewRecorder()
			handler{w.agent, limited}.ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), "GET", path, nil))
			if rec.Code != want || strings.Contains(rec.Body.String(), `"b"`) {
				t.Errorf("%s: %d %s", path, rec.Code, rec.Body)
			}
		}
	})
}

// TestAudit: one line for each request, whatever its outcome, and no token.
func TestAudit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newFixture(t, time.Hour)
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
		if _, _, e := w.ask(Socket{Name: "asks"}, "a"); e.Code != agent.CodeDenied || !strings.Contains(e.Message, no.Error()) {
			t.Errorf("denied by the user: %+v", e)
		}
		var outcomes []string
		for line := range strings.Lines(w.audit.String()) {
			var r Request
			if err := json.Unmarshal([]byte(line), &r); err != nil || r.Time.IsZero() || r.Profile == "" || r.Socket == "" {
				t.Errorf("%s: %v", line, err)
			}
			outcomes = append(outcomes, r.Outcome)
		}
		if want := []string{outcomeIssued, "denied", "login_required", "denied"}; !slices.Equal(outcomes, want) {
			t.Errorf("outcomes %q, want %q", outcomes, want)
		}
		for _, secret := range w.srv.Issued() {
			if strings.Contains(w.audit.String(), secret) {
				t.Errorf("a secret is in the audit log:\n%s", &w.audit)
			}
		}
	})
}

type fullDiskWriter struct{}

func (fullDiskWriter) Write([]byte) (int, error) { return 0, errors.New("disk full") }

// TestNoAuditNoToken: if the request cannot be logged, no token is issued.
func TestNoAuditNoToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newFixture(t, time.Hour)
		w.login("a")
		defer w.start(func(c *Config) { c.Audit = fullDiskWriter{} })()
		if status, a, _ := w.ask(Socket{}, "a"); status != http.StatusInternalServerError || a.Headers != nil {
			t.Errorf("status %d, %v", status, a.Headers)
		}
	})
}
