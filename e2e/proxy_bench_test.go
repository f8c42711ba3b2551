//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/mcp-login/mcp-login/examples/demo/demoserver"
)

// contender is one way to the server.
type contender struct {
	name    string
	session *mcp.ClientSession
	took    []time.Duration
}

// bearer adds a token to every request.
type bearer string

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+string(b))
	return http.DefaultTransport.RoundTrip(r)
}

// BenchmarkProxy compares a call through the proxy with a direct one and with
// one through mcp-remote, in turns, so that a busy machine slows all. The aim
// is to be faster than mcp-remote at everything.
func BenchmarkProxy(b *testing.B) {
	all := contenders(b)
	b.Run("latency", func(b *testing.B) {
		race(b, all, func(c *contender) error { return c.call(b.Context(), "add", map[string]any{"a": 2, "b": 3}) })
	})
	b.Run("parallel", func(b *testing.B) {
		race(b, all, func(c *contender) error { return c.inParallel(b.Context(), 16, 8) })
	})
	b.Run("10MB", func(b *testing.B) {
		race(b, all, func(c *contender) error { return c.call(b.Context(), "text", map[string]any{"n": 10_000_000}) })
	})
}

// contenders connects each way to one demo server.
func contenders(b *testing.B) []*contender {
	b.Helper()
	var demo http.Handler
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { demo.ServeHTTP(w, r) }))
	b.Cleanup(web.Close)
	s, err := demoserver.New(demoserver.Config{URL: web.URL, AutoApprove: 1, Interval: time.Second, AccessTTL: time.Hour})
	if err != nil {
		b.Fatal(err)
	}
	demo = s
	h := newHome(b)
	h.want(0, "login", "box", s.MCP())
	token := h.token("box")
	modules, err := provide("mcp-remote")
	if err != nil {
		b.Fatal(err)
	}
	remote := exec.Command("node", filepath.Join(modules, "node_modules/mcp-remote/dist/proxy.js"), s.MCP(),
		"--allow-http", "--transport", "http-only", "--silent", "--header", "Authorization:Bearer "+token)
	remote.Env = h.env
	return []*contender{
		reach(b, "direct", &mcp.StreamableClientTransport{Endpoint: s.MCP(), HTTPClient: &http.Client{Transport: bearer(token)}, DisableStandaloneSSE: true}),
		reach(b, "proxy", &mcp.CommandTransport{Command: h.command(b.Context(), "proxy", "box")}),
		reach(b, "mcp-remote", &mcp.CommandTransport{Command: remote}),
	}
}

// reach connects by the newest protocol that all of them know.
func reach(b *testing.B, name string, transport mcp.Transport) *contender {
	b.Helper()
	session, err := mcp.NewClient(&mcp.Implementation{Name: "bench"}, nil).
		Connect(b.Context(), transport, &mcp.ClientSessionOptions{ProtocolVersion: "2025-11-25"})
	if err != nil {
		b.Fatalf("%s: %v", name, err)
	}
	b.Cleanup(func() { _ = session.Close() }) // it has done its work
	return &contender{name: name, session: session}
}

func (c *contender) call(ctx context.Context, tool string, args map[string]any) error {
	r, err := c.session.CallTool(ctx, &mcp.CallToolParams{Name: tool, Arguments: args})
	if err == nil && (r.IsError || r.Content[0].(*mcp.TextContent).Text == "") {
		err = fmt.Errorf("%s failed", tool)
	}
	return err
}

// inParallel makes calls from several goroutines at once.
func (c *contender) inParallel(ctx context.Context, goroutines, calls int) error {
	var wg sync.WaitGroup
	failed := make(chan error, goroutines*calls)
	for range goroutines {
		wg.Go(func() {
			for range calls {
				if err := c.call(ctx, "add", map[string]any{"a": 2, "b": 3}); err != nil {
					failed <- err
				}
			}
		})
	}
	wg.Wait()
	close(failed)
	return <-failed
}

// race has them do the same in turns, and reports medians and ratios.
func race(b *testing.B, all []*contender, work func(*contender) error) {
	b.Helper()
	for _, c := range all {
		c.took = nil
	}
	for b.Loop() {
		for _, c := range all {
			begin := time.Now()
			if err := work(c); err != nil {
				b.Fatalf("%s: %v", c.name, err)
			}
			c.took = append(c.took, time.Since(begin))
		}
	}
	b.ReportMetric(0, "ns/op") // of all together: says nothing
	own := median(all[1].took).Seconds()
	b.ReportMetric(own*1000, "ms")
	for _, c := range []*contender{all[0], all[2]} {
		b.ReportMetric(own/median(c.took).Seconds(), "x-"+strings.ReplaceAll(c.name, " ", "-"))
	}
}
