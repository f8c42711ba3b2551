package relay_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/mcp-login/mcp-login/internal/relay"
)

// TestLogAndMetricsNameNoUsers: an operator sees counts, durations and outcomes, but
// not who signs in where.
func TestLogAndMetricsNameNoUsers(t *testing.T) {
	var log bytes.Buffer
	f := newRelay(t, func(c *relay.Config) {
		c.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	s := f.open(state)
	b := f.browser()
	f.get(b, base+"/s/BBBB-BBBB")
	f.get(b, s.Complete)
	f.post(b, s.Complete, nil)
	f.get(f.browser(), s.Complete)
	f.get(b, callback)
	f.query(s)
	f.call("DELETE", "/v1/sessions/"+s.ID+"?outcome=ok", s.Secret, nil)
	f.call("POST", "/v1/sessions", "another-token", map[string]string{"authorization_url": authURL(state)})

	w := httptest.NewRecorder()
	f.relay.Load().Metrics().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	for _, want := range []string{
		"sessions_opened_total 1", "callbacks_total 1", `sessions_ended_total{outcome="ok"} 1`, "sessions_refused_total 1", "clients_waiting 0", "session_duration_seconds_count 1",
	} {
		if !strings.Contains(w.Body.String(), "mcp_login_relay_"+want) {
			t.Errorf("the metrics lack %q", want)
		}
	}
	if got := log.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, `msg="session ended" outcome=ok seconds=0`) {
		t.Errorf("the log: %s", got)
	}
	for _, secret := range []string{s.ID, s.Secret, s.UserCode, state, "xyz", "as.test", "mcp.test", "box", "192.0.2.7", token, "another-token"} {
		if strings.Contains(log.String()+w.Body.String(), secret) {
			t.Errorf("the log or the metrics contain %q", secret)
		}
	}
}

// TestSizes: a request that is too large is rejected before it is stored.
func TestSizes(t *testing.T) {
	f := newRelay(t, nil)
	long := strings.Repeat("x", 1<<20)
	if status, _ := f.call("POST", "/v1/sessions", token, map[string]string{"authorization_url": authURL(state), "label": long}); status != http.StatusBadRequest {
		t.Errorf("a body of 1 MiB: %d", status)
	}
	s := f.open(state)
	b := f.browser()
	f.post(b, s.Complete, nil)
	if got := f.get(b, callback+"&x="+long[:9<<10]); got.status != http.StatusBadRequest || !f.waiting(s) {
		t.Errorf("a response of 9 KiB: %d", got.status)
	}
	if got := f.post(b, base+"/callback", url.Values{"query": {long}, "code": {s.UserCode}}); got.status != http.StatusBadRequest || !f.waiting(s) {
		t.Errorf("a form of 1 MiB: %d", got.status)
	}
	_, v := f.call("POST", "/v1/sessions", token, map[string]string{
		"authorization_url": authURL(state + "2"), "label": strings.Repeat("a", 500) + "\u202e\x1b[2J", "server": "https://mcp.test/\u200b<script>",
	})
	link, _ := v["verification_uri_complete"].(string)
	if got := f.get(b, link); got.status != http.StatusOK || strings.Contains(got.text, strings.Repeat("a", 300)) || strings.ContainsAny(got.text, "\u202e\x1b\u200b") || strings.Contains(got.text, "<script>") {
		t.Errorf("claims: %d %s", got.status, got.text)
	}
}
