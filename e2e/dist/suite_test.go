//go:build e2e && dist

// Package dist has the tests of a release. Each installs what "make dist" built, as
// users do, and signs in with it.
//
//	make dist-test
package dist

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/mcp-login/mcp-login/examples/demo/demoserver"
)

// releaseDir is the folder of the release.
const releaseDir = "../../dist"

// metadata is goreleaser's metadata.json.
var metadata struct{ Tag, Version, Commit string }

func TestMain(m *testing.M) {
	data, err := os.ReadFile(filepath.Join(releaseDir, "metadata.json"))
	if err == nil {
		err = json.Unmarshal(data, &metadata)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "dist: run make dist first:", err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// file returns the path of a file of the release. VERSION in the name is replaced by
// the version.
func file(t testing.TB, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join(releaseDir, strings.ReplaceAll(name, "VERSION", metadata.Version)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatal(err)
	}
	return path
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func sum(data []byte) string { return fmt.Sprintf("%x", sha256.Sum256(data)) }

// provide installs or builds a tool and returns its path.
func provide(t testing.TB, name string) string {
	t.Helper()
	return strings.TrimSpace(output(t, exec.Command("../provide", name)))
}

// output runs a command that must succeed, and returns its standard output.
func output(t testing.TB, cmd *exec.Cmd) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s: %v\n%s%s", strings.Join(cmd.Args, " "), err, &stdout, &stderr)
	}
	return stdout.String()
}

// outputOfFailure runs a command that must fail, and returns its exit code and output.
func outputOfFailure(t testing.TB, cmd *exec.Cmd) (code int, out string) {
	t.Helper()
	all, err := cmd.CombinedOutput()
	exit, exited := errors.AsType[*exec.ExitError](err)
	if !exited {
		t.Fatalf("%s: %v, want a failure\n%s", strings.Join(cmd.Args, " "), err, all)
	}
	return exit.ExitCode(), string(all)
}

// needRoot skips a test that installs for the whole system, unless it runs as root.
func needRoot(t testing.TB) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("only root can do this")
	}
}

// startDemo starts the demo server, which approves by itself.
func startDemo(t testing.TB) *demoserver.Server {
	t.Helper()
	var demo http.Handler
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { demo.ServeHTTP(w, r) }))
	t.Cleanup(srv.Close)
	s, err := demoserver.New(demoserver.Config{URL: srv.URL, AutoApprove: 100 * time.Millisecond, Interval: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	demo = s
	return s
}

// account is a user's account: a private HOME, and no other environment variables of
// this machine.
type account struct {
	dir     string
	env     []string
	command []string // how the installed program is called
}

func newAccount(t testing.TB, command ...string) *account {
	t.Helper()
	dir := t.TempDir()
	return &account{dir, []string{"HOME=" + dir, "PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C.UTF-8"}, command}
}

func (a *account) cmd(args ...string) *exec.Cmd {
	all := append(append([]string{}, a.command...), args...)
	cmd := exec.Command(all[0], all[1:]...)
	cmd.Env, cmd.Dir = a.env, a.dir
	return cmd
}

var demoToken = regexp.MustCompile(`demo_at_[A-Z0-9]+`)

// login signs in and returns the server.
func (a *account) login(t testing.TB) *demoserver.Server {
	t.Helper()
	demo := startDemo(t)
	output(t, a.cmd("login", "demo", demo.MCP(), "--flow", "device"))
	return demo
}

// checkSignInAndUse signs in with the device flow, gets the token with env and with
// exec, and calls the server with it.
func (a *account) checkSignInAndUse(t testing.TB) {
	t.Helper()
	if got := output(t, a.cmd("version")); !strings.HasPrefix(got, "mcp-login "+metadata.Version+" (commit "+metadata.Commit[:12]+", ") {
		t.Errorf("version: %q", got)
	}
	demo := a.login(t)
	exported := demoToken.FindString(output(t, a.cmd("env", "demo")))
	inherited := strings.TrimSpace(output(t, a.cmd("exec", "demo", "--", "/bin/sh", "-c", `printf %s "$MCP_DEMO_TOKEN"`)))
	if exported == "" || inherited != exported {
		t.Errorf("env has the token %q, exec %q", exported, inherited)
	}
	checkToken(t, demo, exported)
}

// checkToken fails unless the server accepts the token.
func checkToken(t testing.TB, demo *demoserver.Server, token string) {
	t.Helper()
	req, err := http.NewRequest(http.MethodPost, demo.MCP(), strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"tools/list"}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json, text/event-stream")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("the server answers the token with %s", resp.Status)
	}
}

// initialize is the first message to an MCP server, and initialized is a part of its
// response.
const (
	initialize  = `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"test","version":"1"}}}` + "\n"
	initialized = `"serverInfo"`
)

// checkProxy fails unless a proxy on standard input and output answers with JSON lines
// only.
func checkProxy(t testing.TB, cmd *exec.Cmd) {
	t.Helper()
	cmd.Stdin = strings.NewReader(initialize)
	out := output(t, cmd)
	if !strings.Contains(out, initialized) {
		t.Errorf("the proxy returned %q", out)
	}
	for line := range strings.Lines(out) {
		if !json.Valid([]byte(line)) {
			t.Errorf("the proxy wrote %q", line)
		}
	}
}
