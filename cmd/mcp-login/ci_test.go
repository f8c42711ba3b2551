package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	mcplogin "github.com/mcp-login/mcp-login"
	"github.com/mcp-login/mcp-login/ci"
	"github.com/mcp-login/mcp-login/flows/device"
	"github.com/mcp-login/mcp-login/internal/redact"
	"github.com/mcp-login/mcp-login/internal/terminal/terminaltest"
	"github.com/mcp-login/mcp-login/oauth"
	"github.com/mcp-login/mcp-login/secrets"
	"github.com/mcp-login/mcp-login/secrets/file"
)

const (
	storedToken = "tok~secret-1"
	storedURL   = "https://mcp.example.com/mcp"
)

// ciJob is a job of a provider on a machine that has a credential, "demo".
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
	return run(t.Context(), args, j.env())
}

func (j *ciJob) env() *env {
	return &env{
		in: strings.NewReader(""), out: &j.out, err: &j.err,
		getenv: func(name string) string { return j.vars[name] },
		tty:    func() (*os.File, error) { return nil, errors.New("no terminal") },
		hidden: redact.To(io.Discard),
	}
}

func TestEnvCIMasksThenHandsOn(t *testing.T) {
	j := newCIJob(t, "GITHUB_ACTIONS=true")
	if code := j.run(t, "env", "demo", "--ci"); code != exitDone || j.out.Len() > 0 {
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

func TestEnvCIRefusals(t *testing.T) {
	for _, tt := range []struct {
		name, env string
		args      []string
		code      int
		says      string
		out       string
	}{
		{"cannot mask", "GITLAB_CI=true", []string{"env", "demo", "--ci"}, exitFailed, "mcp-login exec", "(exit 1)\n"},
		{"no CI", "X=y", []string{"env", "demo", "--ci"}, exitUsage, "not a known CI job", "(exit 2)\n"},
		{"with a format", "GITHUB_ACTIONS=true", []string{"env", "--ci", "demo", "--format", "fish"}, exitUsage, "--format", ""},
		{"with unset", "GITHUB_ACTIONS=true", []string{"env", "--ci", "demo", "--unset"}, exitUsage, "--unset", ""},
		{"nothing stored", "GITHUB_ACTIONS=true", []string{"env", "--ci", "other"}, exitLoginRequired, "mcp-login login other", ""},
		{"reserved name", "GITHUB_ACTIONS=true", []string{"env", "demo", "--ci", "--var", "TOKEN=NODE_OPTIONS"}, exitFailed, "reserved", ""},
		{"wrong flag", "GITHUB_ACTIONS=true", []string{"env", "demo", "--cii"}, exitUsage, "--help", "(exit 2)\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			j := newCIJob(t, tt.env)
			if code := j.run(t, tt.args...); code != tt.code {
				t.Errorf("exit code %d, want %d", code, tt.code)
			}
			if j.out.String() != tt.out || strings.Contains(j.err.String(), storedToken) || !strings.Contains(j.err.String(), tt.says) {
				t.Errorf("standard output %q, standard error %q, want %q and %q", j.out.String(), j.err.String(), tt.out, tt.says)
			}
			if _, err := os.Stat(j.vars["GITHUB_ENV"]); err == nil {
				t.Error("variables were handed on all the same")
			}
		})
	}
}

func TestEnvCIAllowUnmaskedIsForEval(t *testing.T) {
	j := newCIJob(t, "GITLAB_CI=true")
	if code := j.run(t, "env", "--ci", "--allow-unmasked", "--only", "TOKEN", "demo"); code != exitDone {
		t.Fatalf("exit code %d, %s", code, j.err.String())
	}
	if got, want := j.out.String(), "export MCP_DEMO_TOKEN='"+storedToken+"'\n"; got != want {
		t.Errorf("standard output = %q, want %q", got, want)
	}
}

func TestCodeIsANotice(t *testing.T) {
	j := newCIJob(t, "GITHUB_ACTIONS=true")
	e := j.env()
	e.protect()
	p := e.prompt(&loginOptions{})
	p.ShowCode(context.Background(), terminaltest.WithHosts(device.Code{
		UserCode: "ABCD-EFGH", VerificationURI: "https://as.example.com/device", VerificationURIComplete: "https://as.example.com/device?c=ABCD-EFGH",
		Issuer: "https://as.example.net", Server: storedURL, Client: "::error::x\n##[add-mask]y", Expiry: time.Unix(1900000000, 0),
	}))
	want := "::notice title=Sign-in to mcp.example.com wants approval::Enter the code ABCD-EFGH at https://as.example.com/device%0A" +
		"Client ::error::x # #[add-mask]y, for mcp.example.com. You sign in at as.example.com; the token issuer is as.example.net.%0A" +
		"Warning: the sign-in page is on as.example.com, but the token issuer is as.example.net.%0AApprove it only if you started this job.%0A" +
		"Waiting until 2030-03-17T17:46:40Z.%0Ahttps://as.example.com/device?c=ABCD-EFGH\n"
	if got := j.err.String(); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// TeamCity promises to read commands on standard output alone.
func TestCodeIsPlainTextForTeamCity(t *testing.T) {
	j := newCIJob(t, "TEAMCITY_VERSION=2026.1")
	e := j.env()
	e.protect()
	p := e.prompt(&loginOptions{})
	p.ShowCode(context.Background(), device.Code{UserCode: "ABCD-EFGH", VerificationURI: "https://as.example.com/device"})
	if got := j.err.String(); !strings.Contains(got, "ABCD-EFGH") || strings.Contains(got, "##teamcity") || j.out.Len() > 0 {
		t.Errorf("standard error %q, standard output %q, want the code as plain text", got, j.out.String())
	}
}

func TestServerTextIsNoCommandInCI(t *testing.T) {
	j := newCIJob(t, "TF_BUILD=True")
	e := j.env()
	e.protect()
	e.finish(t.Context(), errors.New("the server said ##vso[task.setvariable variable=A]b"))
	if got := j.err.String(); strings.Contains(got, "##vso[") {
		t.Errorf("standard error = %q", got)
	}
}

func TestExpectedIdentity(t *testing.T) {
	const jwt = "eyJhbGciOiJub25lIn0.eyJpc3MiOiJodHRwczovL2FzIiwic3ViIjoiYW5uIn0.c2ln" // ann of https://as
	for _, tt := range []struct {
		issuer, subject string
		accept          bool
	}{
		{"", "", true},
		{"https://as", "ann", true},
		{"https://as", "bob", false},
		{"https://other", "", false},
	} {
		o := common{expectIssuer: tt.issuer}
		err := o.expected(oauth.Server{Issuer: "https://as"})
		if err == nil {
			err = new(env).accept(expectation{tt.subject}, false)(mcplogin.Credential{Token: oauth.Token{Access: "opaque", ID: jwt}})
		}
		if (err == nil) != tt.accept {
			t.Errorf("%+v accepts with %v, want %t", tt, err, tt.accept)
		}
		if code, _ := new(env).verdict(err); err != nil && code != exitDenied {
			t.Errorf("exit code %d, want %d", code, exitDenied)
		}
	}
	opaque := mcplogin.Credential{Issuer: oauth.Server{Issuer: "https://as"}, Token: oauth.Token{Access: "opaque"}}
	if err := new(env).accept(expectation{""}, false)(opaque); err != nil {
		t.Errorf("the authorization server alone is not accepted: %v", err)
	}
	if err := new(env).accept(expectation{"ann"}, false)(opaque); err == nil {
		t.Error("a subject that nobody vouches for is accepted")
	}
	job, _, _ := testEnv(t)
	job.jobIs = &jobIdentity{id: ci.Identity{Issuer: "https://ci", Subject: "ann"}}
	if err := job.accept(expectation{"ann"}, false)(opaque); err == nil {
		t.Error("a job that did not present itself is accepted")
	}
	opaque.Flow = "ci"
	if err := job.accept(expectation{"ann"}, false)(opaque); err != nil {
		t.Errorf("the job that presented itself is not accepted: %v", err)
	}
}

// TestJobIdentityOfManyProfiles: an agent's profiles ask who the job is at
// once. It is said once.
func TestJobIdentityOfManyProfiles(t *testing.T) {
	var job jobIdentity
	var first atomic.Int32
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			if job.set(ci.Identity{Issuer: "https://ci", Subject: "ann"}) {
				first.Add(1)
			}
			if id := job.get(); id.Subject != "ann" {
				t.Errorf("the job is %v", id)
			}
		})
	}
	all.Wait()
	if first.Load() != 1 {
		t.Errorf("it was said %d times who the job is", first.Load())
	}
}

func TestHeadersAreForTheirServerAlone(t *testing.T) {
	for _, tt := range []struct {
		url  string
		code int
	}{
		{"", exitDone},
		{storedURL, exitDone},
		{"https://MCP.example.com:443/other", exitDone},
		{"https://mcp.example.com.evil.example/mcp", exitFailed},
		{"http://mcp.example.com/mcp", exitFailed},
		{"::", exitFailed},
	} {
		j := newCIJob(t, "CLAUDE_CODE_MCP_SERVER_URL="+tt.url)
		if code := j.run(t, "headers", "demo", "--json"); code != tt.code || (code == exitDone) != (j.out.Len() > 0) {
			t.Errorf("for %q: exit code %d, %q, want %d", tt.url, code, j.out.String(), tt.code)
		}
	}
}

func TestClientConfig(t *testing.T) {
	j := newCIJob(t)
	if code := j.run(t, "client-config", "demo", "--for", "claude-code", "--program", "mcp-login", "--keeper", "key-file"); code != exitDone {
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
		{[]string{"client-config", "new", storedURL, "--for", "codex"}, exitDone}, // before the login
		{[]string{"client-config", "demo", "--for", "emacs"}, exitUsage},
		{[]string{"client-config", "new"}, exitLoginRequired},
		{[]string{"client-config", "demo", "http://mcp.example.com/"}, exitUsage},
		{[]string{"client-config"}, exitUsage},
	} {
		if code := j.run(t, tt.args...); code != tt.code || (code == exitDone) != (j.out.Len() > 0) {
			t.Errorf("%q: exit code %d, %q, %s, want %d", tt.args, code, j.out.String(), j.err.String(), tt.code)
		}
	}
}
