//go:build linux || darwin || freebsd

package agentd_test

import (
	"net/http"
	"testing"

	"github.com/mcp-login/mcp-login/internal/agentd"
	"github.com/mcp-login/mcp-login/internal/netcheck"
)

// TestMetricsListen: the loopback port serves GET /metrics and nothing else, and
// rejects a web page that uses DNS rebinding.
func TestMetricsListen(t *testing.T) {
	l, err := netcheck.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	startTestAgent(t, func(c *agentd.Config) { c.Metrics = l }, "a")
	get := func(method, path, host string) *http.Response {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, "http://"+l.Addr().String()+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = host
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { resp.Body.Close() })
		return resp
	}
	for _, tt := range []struct {
		method, path, host string
		want               int
	}{
		{"GET", "/metrics", "", http.StatusOK},
		{"GET", "/metrics", "localhost", http.StatusOK},
		{"POST", "/metrics", "", http.StatusMethodNotAllowed},
		{"GET", "/metrics", "evil.test", http.StatusForbidden},
		{"GET", "/v1/profiles/a/headers", "", http.StatusNotFound},
		{"GET", "/v1/health", "", http.StatusNotFound},
		{"GET", "/", "", http.StatusNotFound},
	} {
		resp := get(tt.method, tt.path, tt.host)
		if resp.StatusCode != tt.want {
			t.Errorf("%s %s of host %q: %s, want %d", tt.method, tt.path, tt.host, resp.Status, tt.want)
		}
	}
	if got := samples(t, get("GET", "/metrics", "").Body); len(got["mcp_login_agent_requests_total"]) == 0 {
		t.Errorf("%d families", len(got))
	}
}
