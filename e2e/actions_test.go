//go:build e2e

package e2e

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mcp-login/mcp-login/examples/demo/demoserver"
)

// repository is a checkout that contains the action and workflows, like a user's own
// repository.
type repository struct {
	t    *testing.T
	dir  string
	home string
}

func newRepository(t *testing.T) *repository {
	t.Helper()
	r := &repository{t, t.TempDir(), t.TempDir()}
	for to, from := range map[string]string{
		"examples/github-actions": "../examples/github-actions",
		".github/workflows":       "testdata/actions",
	} {
		if err := os.CopyFS(filepath.Join(r.dir, to), os.DirFS(from)); err != nil {
			t.Fatal(err)
		}
	}
	r.git("init", "-q", "-b", "main", ".")
	r.git("add", "-A")
	r.git("-c", "user.name=test", "-c", "user.email=test@localhost", "commit", "-q", "-m", "test")
	r.git("remote", "add", "origin", "https://github.com/example/example")
	return r
}

func (r *repository) git(args ...string) {
	r.t.Helper()
	if out, err := r.command("git", args...).CombinedOutput(); err != nil {
		r.t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

func (r *repository) command(path string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(r.t.Context(), path, args...)
	cmd.Dir = r.dir
	cmd.Env = []string{"HOME=" + r.home, "PATH=" + os.Getenv("PATH")}
	return cmd
}

// act runs a workflow on this machine and returns its log.
func (r *repository) act(workflow string, args ...string) (log string, ok bool) {
	r.t.Helper()
	path, err := provide("act")
	if err != nil {
		r.t.Fatal(err)
	}
	cmd := r.command(path, append([]string{
		"workflow_dispatch", "-P", "ubuntu-latest=-self-hosted", "-W", workflow, "--var", "MCP_LOGIN=" + program,
	}, args...)...)
	out, err := cmd.CombinedOutput()
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
		r.t.Fatal(err)
	}
	recordOutput(string(out))
	return string(out), err == nil
}

// startDemo starts the demo server, which approves by itself.
func startDemo(t *testing.T) *demoserver.Server {
	t.Helper()
	var demo http.Handler
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { demo.ServeHTTP(w, r) }))
	t.Cleanup(srv.Close)
	s, err := demoserver.New(demoserver.Config{URL: srv.URL, AutoApprove: 500 * time.Millisecond, Interval: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	demo = s
	return s
}

func TestWorkflowsPassActionlint(t *testing.T) {
	lint, err := provide("actionlint")
	if err != nil {
		t.Fatal(err)
	}
	r := newRepository(t)
	files, err := filepath.Glob(filepath.Join(r.dir, "examples/github-actions/workflows/*.yml"))
	if err != nil || len(files) != 3 {
		t.Fatalf("workflows: %q, %v, want three", files, err)
	}
	if out, err := r.command(lint, append(files, ".github/workflows/probe.yml")...).CombinedOutput(); err != nil {
		t.Errorf("actionlint: %v\n%s", err, out)
	}
}

func TestActionApprovedByDevice(t *testing.T) {
	demo := startDemo(t)
	log, ok := newRepository(t).act("examples/github-actions/workflows/device.yml", "--var", "MCP_URL="+demo.MCP())
	if !ok {
		t.Fatalf("the workflow failed:\n%s", log)
	}
	for _, want := range []string{
		"::notice title=Sign-in to", // while the step waits
		"Enter the code",
		"MCP_DEMO_AUTHORIZATION=***", // masked before it was exported
		`"name":"whoami"`,            // the tools' list
		"revoked the tokens",         // by the post step
		"Summary - **Signed in to",
	} {
		if !strings.Contains(log, want) {
			t.Errorf("the log lacks %q:\n%s", want, log)
		}
	}
}

func TestActionMasksAndRevokesAfterFailure(t *testing.T) {
	demo := startDemo(t)
	r := newRepository(t)
	kept := filepath.Join(t.TempDir(), "token")
	log, ok := r.act(".github/workflows/probe.yml",
		"--var", "MCP_URL="+demo.MCP(), "--var", "FLOW=device", "--var", "KEEP="+kept, "--var", "AUDIENCE=https://api.example.com")
	token, err := os.ReadFile(kept)
	if ok || err != nil {
		t.Fatalf("the workflow ended with %t, token: %v\n%s", ok, err, log)
	}
	recordTokens(string(token))
	for _, want := range []string{"the token is ***", "the header is ***", "revoked the tokens"} {
		if !strings.Contains(log, want) {
			t.Errorf("the log lacks %q:\n%s", want, log)
		}
	}
	if strings.Contains(log, string(token)) {
		t.Error("the log holds the token")
	}
	checkNoPlaintextToken(t, r.home, []string{string(token)})
	checkNoPlaintextToken(t, r.dir, []string{string(token)})
	if code := statusOf(t, demo.MCP(), string(token)); code != http.StatusUnauthorized {
		t.Errorf("after the job, the token gets status %d, want 401", code)
	}
}

func TestActionRejectsOtherSubject(t *testing.T) {
	demo := startDemo(t)
	kept := filepath.Join(t.TempDir(), "token")
	log, ok := newRepository(t).act(".github/workflows/probe.yml",
		"--var", "MCP_URL="+demo.MCP(), "--var", "FLOW=device", "--var", "KEEP="+kept, "--var", "SUBJECT=team")
	if _, err := os.Stat(kept); ok || err == nil || !strings.Contains(log, "unexpected identity") {
		t.Errorf("the workflow ended with %t, and later steps ran with %v:\n%s", ok, err, log)
	}
}

// statusOf calls the MCP server with a token and returns the HTTP status.
func statusOf(t *testing.T, url, token string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"tools/list"}`))
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
	return resp.StatusCode
}
