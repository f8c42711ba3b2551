//go:build e2e

package e2e

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mcp-login/mcp-login/examples/demo/demoserver"
)

// TestProxyOptions: a client of either protocol does not see the denied tool, and the
// server gets the headers. The arguments of an entry for mcp-remote work unchanged.
func TestProxyOptions(t *testing.T) {
	t.Parallel()
	var demo http.Handler
	var without atomic.Int32 // requests without the header
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/mcp" && r.Header.Get("X-Key") != "s3cret-of-the-gateway" && r.Header.Get("Authorization") != "" {
			without.Add(1)
		}
		demo.ServeHTTP(w, r)
	}))
	t.Cleanup(web.Close)
	s, err := demoserver.New(demoserver.Config{URL: web.URL, AutoApprove: 1, Interval: time.Second, AccessTTL: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	demo = s
	h := newHome(t)
	h.env = append(h.env, "KEY=s3cret-of-the-gateway")
	recordTokens("s3cret-of-the-gateway") // no output of the program may contain it
	h.want(0, "login", "box", s.MCP())
	recordTokens(h.token("box"))
	for _, options := range []string{
		"box --deny-tool t* --header-from X-Key=env:KEY --log-level trace",
		"box --allow-tool add --header X-Key:${KEY} --listen 127.0.0.1:0",
		s.MCP() + " 3334 --ignore-tool T* --header X-Key:${KEY} --allow-http --transport http-first --debug",
	} {
		t.Run(options, func(t *testing.T) {
			through := program + " proxy " + options
			if strings.Contains(options, "--listen") {
				through = h.startHTTPProxy(t, append([]string{"proxy"}, strings.Fields(options)...)...)
			}
			for _, sdk := range []string{sessionSDK, statelessSDK} {
				got := h.proxyCalls(sdk, through, `[{"tool": "text", "args": {"n": 3}}, {"tool": "add", "args": {"a": 2, "b": 3}}]`)
				if len(got) != 2 || !strings.Contains(got[0].Error, "not allowed") || got[1].Text != "5" {
					t.Errorf("the client of SDK %s got %+v", sdk, got)
				}
			}
		})
	}
	if got := h.want(0, "test", "box", "--header-from", "X-Key=env:KEY", "--call", "add", "--args", `{"a":2,"b":3}`); !strings.Contains(got.stdout, "5") {
		t.Errorf("test: %s%s", got.stdout, got.stderr)
	}
	if n := without.Load(); n != 0 {
		t.Errorf("%d requests have no header", n)
	}
}
