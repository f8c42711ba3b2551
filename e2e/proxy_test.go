//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mcp-login/mcp-login/examples/demo/demoserver"
)

// callResult is what the TypeScript SDK's client reports about one call.
type callResult struct {
	Tool     string
	Text     string // only the beginning
	Length   int
	Progress int
	Messages int
	Error    string
}

// proxyCalls makes calls with the client of a TypeScript SDK, and returns their
// results.
func (h *home) proxyCalls(major, server, calls string) []callResult {
	h.t.Helper()
	modules, err := provide("tssdk")
	if err != nil {
		h.t.Fatal(err)
	}
	script, err := filepath.Abs("tssdk/client.mjs")
	if err != nil {
		h.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(h.t.Context(), commandTimeout)
	defer cancel()
	var out, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, "node", script, major, server, calls)
	cmd.Env = append(h.env, "TSSDK="+modules)
	cmd.Stdout, cmd.Stderr = &out, &stderr
	err = cmd.Run()
	recordOutput(stderr.String())
	recordOutput(out.String())
	if err != nil {
		h.t.Fatalf("the client: %v\n%s%s", err, out.String(), stderr.String())
	}
	var all []callResult
	for line := range strings.Lines(out.String()) {
		var result callResult
		if err := json.Unmarshal([]byte(line), &result); err != nil {
			h.t.Fatal(err)
		}
		all = append(all, result)
	}
	return all
}

// startBoxProxy starts the HTTP form of the proxy for the profile box and returns its
// URL.
func (h *home) startBoxProxy(t *testing.T) string {
	t.Helper()
	return h.startHTTPProxy(t, "proxy", "box", "--listen", "127.0.0.1:0", "--min-ttl", "1s")
}

// startHTTPProxy starts a proxy that serves HTTP, and returns its URL. It is stopped by
// a signal when the test ends, and must exit with 0.
func (h *home) startHTTPProxy(t *testing.T, args ...string) string {
	t.Helper()
	r := h.start(args...)
	t.Cleanup(func() {
		if err := r.cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Error(err)
		}
		r.wait(0)
	})
	line := r.stderr.await(t, regexp.MustCompile(` at (http://127\.0\.0\.1:\d+/\w{26}),`))
	return strings.TrimSuffix(strings.TrimPrefix(line, " at "), ",")
}

// The major versions of the TypeScript SDK: the first uses the protocol with sessions,
// the second the stateless one.
const sessionSDK, statelessSDK = "1", "2"

// runThroughProxy runs a test with the stdio form and with the HTTP form of the proxy.
func runThroughProxy(t *testing.T, server string, test func(t *testing.T, h *home, through string)) {
	h := newHome(t)
	h.want(0, "login", "box", server, "--browser-command", "curl -sSL -o page.html")
	recordTokens(h.token("box"))
	t.Run("stdio", func(t *testing.T) { test(t, h, program+" proxy box --min-ttl 1s") })
	t.Run("http", func(t *testing.T) { test(t, h, h.startBoxProxy(t)) })
}

// TestProxyDemo: tools, progress, cancellation, 10 MB and a token that expires between
// calls, with a real client through the real program. That client drops the last
// progress if the result arrives at the same time.
func TestProxyDemo(t *testing.T) {
	t.Parallel()
	var demo http.Handler
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { demo.ServeHTTP(w, r) }))
	t.Cleanup(web.Close)
	s, err := demoserver.New(demoserver.Config{URL: web.URL, AutoApprove: 1, Interval: time.Second, AccessTTL: 3 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	demo = s
	runThroughProxy(t, s.MCP(), func(t *testing.T, h *home, through string) {
		for _, sdk := range []string{sessionSDK, statelessSDK} {
			got := h.proxyCalls(sdk, through, `[
				{"tool": "add", "args": {"a": 2, "b": 3}},
				{"tool": "ticks", "args": {"n": 5, "pause_ms": 50}},
				{"tool": "ticks", "args": {"n": 1000, "pause_ms": 100}, "abort": true},
				{"tool": "text", "args": {"n": 10000000}},
				{"tool": "whoami", "wait": 4000}
			]`)
			if len(got) != 5 || got[0].Text != "5" || got[1].Text != "5 ticks" || got[1].Progress < 4 ||
				!strings.Contains(got[2].Error, "enough") || got[3].Length != 10_000_000 || !strings.HasPrefix(got[4].Text, "user demo") {
				t.Errorf("the client of SDK %s got %+v", sdk, got)
			}
		}
	})
}

// TestProxySessions: the TypeScript SDK's server keeps sessions, and sends
// notifications and requests to the client. The first and the last of three messages
// may arrive after the result, because they use a separate stream.
func TestProxySessions(t *testing.T) {
	t.Parallel()
	runThroughProxy(t, startTSSDK(t), func(t *testing.T, h *home, through string) {
		got := h.proxyCalls(sessionSDK, through, `[
			{"tool": "greet", "args": {"name": "Ada"}},
			{"tool": "multi-greet", "args": {"name": "Ada"}},
			{"tool": "start-notification-stream", "args": {"interval": 50, "count": 3}},
			{"tool": "collect-user-info", "args": {"infoType": "preferences"}}
		]`)
		if len(got) != 4 || got[0].Text != "Hello, Ada!" || got[1].Messages < 2 || got[2].Messages < 2 ||
			!strings.Contains(got[3].Text, "dark") {
			t.Errorf("the client got %+v", got)
		}
	})
}

// TestProxySocket: a Unix socket serves every user that its mode allows to connect.
func TestProxySocket(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	h.want(0, "login", "box", startDemo(t).MCP())
	recordTokens(h.token("box"))
	r := h.start("proxy", "box", "--listen", "unix:"+filepath.Join(h.dir, "s"))
	r.stderr.await(t, regexp.MustCompile(` at unix:`))
	got := h.run("sh", "-c", `curl -sS --unix-socket s http://mcp/ -H 'Content-Type: application/json' -H 'Accept: application/json, text/event-stream' -d '{"jsonrpc":"2.0","id":1,"method":"tools/list"}'`)
	if !strings.Contains(got.stdout, `"whoami"`) {
		t.Errorf("curl got %s%s", got.stdout, got.stderr)
	}
	if err := r.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	r.wait(0)
}
