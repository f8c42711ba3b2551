package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/flows/device"
	"github.com/mcp-login/mcp-login/internal/exit"
	"github.com/mcp-login/mcp-login/internal/redact"
	"github.com/mcp-login/mcp-login/internal/signin"
	"github.com/mcp-login/mcp-login/internal/terminal/terminaltest"
	"github.com/mcp-login/mcp-login/oauth"
	"github.com/mcp-login/mcp-login/secrets"
	"github.com/mcp-login/mcp-login/secrets/file"
)

const (
	storedToken = "tok~secret-1"
	storedURL   = "https://mcp.example.com/mcp"
)

// ciJob is a job of a provider on a machine that has a credential named "demo".
type ciJob struct {
	vars     map[string]string
	out, err strings.Builder
}

func newCIJob(t *testing.T, vars ...string) *ciJob {
	t.Helper()
	dir := t.TempDir()
	j := &ciJob{vars: map[string]string{
		"HOME": dir, "XDG_DATA_HOME": filepath.Join(dir, "data"), "XDG_STATE_HOME": filepath.Join(dir, "state"),
		"GITHUB_ENV": filepath.Join(dir, "env"), "GITHUB_STEP_SUMMARY": filepath.Join(dir, "summary"),
	}}
	for _, v := range vars {
		name, value, _ := strings.Cut(v, "=")
		j.vars[name] = value
	}
	store, err := file.Open(file.Config{
		Dir: filepath.Join(dir, "data", "mcp-login"), Keeper: file.KeyFile{Dir: filepath.Join(dir, "state", "mcp-login", "keys")},
	})
	if err != nil {
		t.Fatal(err)
	}
	record, err := json.Marshal(mcplogin.Credential{
		Version: 1, Profile: "demo", Server: storedURL, Issuer: oauth.Server{Issuer: "https://as.example.com"},
		Token: oauth.Token{Access: storedToken, Expiry: time.Now().Add(time.Hour)},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.Put(t.Context(), "demo", record, secrets.Absent); err != nil {
		t.Fatal(err)
	}
	return j
}

// run runs the program and returns its exit code.
func (j *ciJob) run(t *testing.T, args ...string) int {
	t.Helper()
	j.out.Reset()
	j.err.Reset()
	return run(t.Context(), args, &j.env().env)
}

func (j *ciJob) env() *call {
	e := &env{
		in: strings.NewReader(""), out: &j.out, err: &j.err,
		getenv: func(name string) string { return j.vars[name] },
		tty:    func() (*os.File, error) { return nil, errors.New("no terminal") },
		hidden: redact.To(io.Discard),
	}
	return e.bare()
}

func TestEnvCIMasksThenExports(t *testing.T) {
	j := newCIJob(t, "GITHUB_ACTIONS=true")
	if code := j.run(t, "env", "demo", "--ci"); code != exit.Done || j.out.Len() > 0 {
		t.Fatalf("exit code %d, standard output %q", code, j.out.String())
	}
	if want := "::add-mask::Bearer " + storedToken + "\n::add-mask::" + storedToken + "\n"; j.err.String() != want {
		t.Errorf("standard error = %q, want %q", j.err.String(), want)
	}
	got, err := os.ReadFile(j.vars["GITHUB_ENV"])
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"MCP_DEMO_AUTHORIZATION<<", "\nBearer " + storedToken + "\n", "MCP_DEMO_TOKEN<<", "MCP_DEMO_URL<<", "\n" + storedURL + "\n", "MCP_DEMO_EXPIRES_AT<<"} {
		if !strings.Contains(string(got), want) {
			t.Errorf("GITHUB_ENV = %q, want %q in it", got, want)
		}
	}
}

func TestEnvCIErrors(t *testing.T) {
	for _, tt := range []struct {
		name, env string
		args      []string
		code      int
		want      string
		out       string
	}{
		{"cannot mask", "GITLAB_CI=true", []string{"env", "demo", "--ci"}, exit.Failed, "mcp-login exec", "(exit 1)\n"},
		{"no CI", "X=y", []string{"env", "demo", "--ci"}, exit.BadUsage, "no known CI system", "(exit 2)\n"},
		{"with a format", "GITHUB_ACTIONS=true", []string{"env", "--ci", "demo", "--format", "fish"}, exit.BadUsage, "--format", ""},
		{"with unset", "GITHUB_ACTIONS=true", []string{"env", "--ci", "demo", "--unset"}, exit.BadUsage, "--unset", ""},
		{"nothing stored", "GITHUB_ACTIONS=true", []string{"env", "--ci", "other"}, exit.LoginRequired, "mcp-login login other", ""},
		{"reserved name", "GITHUB_ACTIONS=true", []string{"env", "demo", "--ci", "--var", "TOKEN=NODE_OPTIONS"}, exit.Failed, "reserved", ""},
		{"wrong flag", "GITHUB_ACTIONS=true", []string{"env", "demo", "--cii"}, exit.BadUsage, "--help", "(exit 2)\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			j := newCIJob(t, tt.env)
			if code := j.run(t, tt.args...); code != tt.code {
				t.Errorf("exit code %d, want %d", code, tt.code)
			}
			if j.out.String() != tt.out || strings.Contains(j.err.String(), storedToken) || !strings.Contains(j.err.String(), tt.want) {
				t.Errorf("standard output %q, standard error %q, want %q and %q", j.out.String(), j.err.String(), tt.out, tt.want)
			}
			if _, err := os.Stat(j.vars["GITHUB_ENV"]); err == nil {
				t.Error("variables were exported anyway")
			}
		})
	}
}

func TestEnvCIAllowUnmaskedIsForEval(t *testing.T) {
	j := newCIJob(t, "GITLAB_CI=true")
	if code := j.run(t, "env", "--ci", "--allow-unmasked", "--only", "TOKEN", "demo"); code != exit.Done {
		t.Fatalf("exit code %d, %s", code, j.err.String())
	}
	if got, want := j.out.String(), "export MCP_DEMO_TOKEN='"+storedToken+"'\n"; got != want {
		t.Errorf("standard output = %q, want %q", got, want)
	}
}

func TestCodeIsANotice(t *testing.T) {
	j := newCIJob(t, "GITHUB_ACTIONS=true")
	e := j.env()
	e.err = e.streams().Messages()
	p := promptOf(t, e)
	p.ShowCode(context.Background(), terminaltest.WithHosts(device.Code{
		UserCode: "ABCD-EFGH", VerificationURI: "https://as.example.com/device", VerificationURIComplete: "https://as.example.com/device?c=ABCD-EFGH",
		Issuer: "https://as.example.net", Server: storedURL, Client: "::error::x\n##[add-mask]y", Expiry: time.Unix(1900000000, 0),
	}))
	want := "::notice title=Sign-in to mcp.example.com needs your approval::Enter the code ABCD-EFGH at https://as.example.com/device%0A" +
		"Client ::error::x # #[add-mask]y, for mcp.example.com. You sign in at as.example.com; the token issuer is as.example.net.%0A" +
		"Warning: the sign-in page is on as.example.com, but the token issuer is as.example.net.%0AApprove it only if you started this job.%0A" +
		"Waiting until 2030-03-17T17:46:40Z.%0Ahttps://as.example.com/device?c=ABCD-EFGH\n"
	if got := j.err.String(); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// promptOf returns the prompt that shows the codes of a login.
func promptOf(t *testing.T, e *call) signin.Prompt {
	t.Helper()
	in, err := e.open(new(common)).SignIn(new(signin.Options))
	if err != nil {
		t.Fatal(err)
	}
	return in.Prompt()
}

// TestCodeIsPlainTextForTeamCity: TeamCity documents commands on standard output
// only.
func TestCodeIsPlainTextForTeamCity(t *testing.T) {
	j := newCIJob(t, "TEAMCITY_VERSION=2026.1")
	e := j.env()
	e.err = e.streams().Messages()
	p := promptOf(t, e)
	p.ShowCode(context.Background(), device.Code{UserCode: "ABCD-EFGH", VerificationURI: "https://as.example.com/device"})
	if got := j.err.String(); !strings.Contains(got, "ABCD-EFGH") || strings.Contains(got, "##teamcity") || j.out.Len() > 0 {
		t.Errorf("standard error %q, standard output %q, want the code as plain text", got, j.out.String())
	}
}

func TestServerTextIsNoCommandInCI(t *testing.T) {
	j := newCIJob(t, "TF_BUILD=True")
	e := j.env()
	e.err = e.streams().Messages()
	e.finish(t.Context(), errors.New("the server said ##vso[task.setvariable variable=A]b"))
	if got := j.err.String(); strings.Contains(got, "##vso[") {
		t.Errorf("standard error = %q", got)
	}
}

func TestHeadersAreOnlyForTheirServer(t *testing.T) {
	for _, tt := range []struct {
		url  string
		code int
	}{
		{"", exit.Done},
		{storedURL, exit.Done},
		{"https://MCP.example.com:443/other", exit.Done},
		{"https://mcp.example.com.evil.example/mcp", exit.Failed},
		{"http://mcp.example.com/mcp", exit.Failed},
		{"::", exit.Failed},
	} {
		j := newCIJob(t, "CLAUDE_CODE_MCP_SERVER_URL="+tt.url)
		if code := j.run(t, "headers", "demo", "--json"); code != tt.code || (code == exit.Done) != (j.out.Len() > 0) {
			t.Errorf("for %q: exit code %d, %q, want %d", tt.url, code, j.out.String(), tt.code)
		}
	}
}

func TestClientConfig(t *testing.T) {
	j := newCIJob(t)
	if code := j.run(t, "client-config", "demo", "--for", "claude-code", "--program", "mcp-login", "--keeper", "key-file"); code != exit.Done {
		t.Fatalf("exit code %d, %s", code, j.err.String())
	}
	server := struct {
		MCPServers map[string]struct{ URL, HeadersHelper string }
	}{}
	if err := json.Unmarshal([]byte(j.out.String()), &server); err != nil {
		t.Fatal(err)
	}
	if got := server.MCPServers["demo"]; got.URL != storedURL || got.HeadersHelper != "mcp-login headers demo --json --keeper key-file" {
		t.Errorf("got %+v", got)
	}
	for _, tt := range []struct {
		args []string
		code int
	}{
		{[]string{"client-config", "new", storedURL, "--for", "codex"}, exit.Done}, // before the sign-in
		{[]string{"client-config", "demo", "--for", "emacs"}, exit.BadUsage},
		{[]string{"client-config", "new"}, exit.LoginRequired},
		{[]string{"client-config", "demo", "http://mcp.example.com/"}, exit.BadUsage},
		{[]string{"client-config"}, exit.BadUsage},
	} {
		if code := j.run(t, tt.args...); code != tt.code || (code == exit.Done) != (j.out.Len() > 0) {
			t.Errorf("%q: exit code %d, %q, %s, want %d", tt.args, code, j.out.String(), j.err.String(), tt.code)
		}
	}
}
