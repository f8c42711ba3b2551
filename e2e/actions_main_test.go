//go:build e2e

package e2e

import (
	"bytes"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// actionStep is a step that uses the action in a user's account without a runner. It
// runs the scripts as a runner would.
type actionStep struct {
	*home
	temp  string
	state []string // state that main.js saved for post.js
}

func newActionStep(t *testing.T, env ...string) *actionStep {
	t.Helper()
	s := &actionStep{home: newHome(t), temp: t.TempDir()}
	s.env = append(s.env, "GITHUB_ACTIONS=true", "RUNNER_TEMP="+s.temp, "INPUT_NAME=demo", "INPUT_PROGRAM="+program, "INPUT_FLOW=device")
	for _, name := range []string{"GITHUB_STATE", "GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_STEP_SUMMARY"} {
		s.env = append(s.env, name+"="+filepath.Join(s.dir, name))
	}
	s.env = append(s.env, env...)
	return s
}

// script runs main.js or post.js.
func (s *actionStep) script(name string, env ...string) (log string, code int) {
	s.t.Helper()
	script, err := filepath.Abs("../examples/github-actions/" + name)
	if err != nil {
		s.t.Fatal(err)
	}
	node, err := exec.LookPath("node")
	if err != nil {
		s.t.Fatal(err)
	}
	cmd := exec.CommandContext(s.t.Context(), node, script)
	cmd.Env = append(append(append(cmd.Env, s.env...), s.state...), env...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err = cmd.Run()
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
		s.t.Fatal(err)
	}
	for name, value := range s.file("GITHUB_STATE") {
		s.state = append(s.state, "STATE_"+name+"="+value)
	}
	log = out.String()
	for line := range strings.Lines(log) { // a runner removes the masks from the log
		if !strings.HasPrefix(line, "::add-mask::") {
			recordOutput(line)
		}
	}
	return log, cmd.ProcessState.ExitCode()
}

// file parses one of the runner's files, such as GITHUB_OUTPUT.
func (s *actionStep) file(name string) map[string]string {
	data, _ := os.ReadFile(filepath.Join(s.dir, name)) // missing if the script wrote nothing
	values := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^(\w+)<<.*\n(.*)\n.*$`).FindAllStringSubmatch(string(data), -1) {
		values[m[1]] = m[2]
	}
	return values
}

// checkGone fails if anything of the job is left.
func (s *actionStep) checkGone() {
	s.t.Helper()
	if left, err := os.ReadDir(s.temp); err != nil || len(left) > 0 {
		s.t.Errorf("left in RUNNER_TEMP: %v, %v", left, err)
	}
}

// TestActionKeepsTeamCredential: the action does not sign out of a store that the
// environment names.
func TestActionKeepsTeamCredential(t *testing.T) {
	for _, tt := range []struct{ name, env string }{
		{"a store", "MCP_LOGIN_STORE=file:"},
		{"a folder", "MCP_LOGIN_PROFILE_DIR="},
	} {
		t.Run(tt.name, func(t *testing.T) {
			demo := startDemo(t)
			s := newActionStep(t, "INPUT_URL="+demo.MCP(), tt.env+filepath.Join(t.TempDir(), "team"))
			s.want(0, "login", "demo", demo.MCP(), "--flow", "device")
			if log, code := s.script("main.js"); code != 0 {
				t.Fatalf("exit code %d:\n%s", code, log)
			}
			log, code := s.script("post.js")
			token := s.token("demo")
			recordTokens(token)
			if code != 0 || s.file("GITHUB_ENV")["MCP_DEMO_TOKEN"] != token || statusOf(t, demo.MCP(), token) != http.StatusOK {
				t.Errorf("after the job the team's token is gone or differs from the job's; exit code %d:\n%s", code, log)
			}
			s.checkGone()
		})
	}
}

// TestActionUsesItsOwnStore: neither the environment nor the configuration can select
// another store.
func TestActionUsesItsOwnStore(t *testing.T) {
	demo := startDemo(t)
	s := newActionStep(t, "INPUT_URL="+demo.MCP())
	config := filepath.Join(s.dir, "config", "mcp-login", "config.toml")
	text := "store = 'file:" + filepath.Join(s.dir, "team") + "'\n[profile.demo]\nkeeper = 'key-file'\nagent-sock = '/nowhere'\n"
	if err := errors.Join(os.MkdirAll(filepath.Dir(config), 0o700), os.WriteFile(config, []byte(text), 0o600)); err != nil {
		t.Fatal(err)
	}
	s.want(0, "login", "demo", demo.MCP(), "--flow", "device")
	before := s.want(0, "token", "demo", "--agent-sock=").stdout
	overrides := []string{"MCP_LOGIN_KEEPER=passphrase", "MCP_LOGIN_PASSPHRASE_COMMAND=false", "MCP_LOGIN_PASSPHRASE=x", "MCP_LOGIN_AGENT_SOCK=/nowhere/either"}
	log, code := s.script("main.js", overrides...)
	own := s.file("GITHUB_ENV")["MCP_DEMO_TOKEN"]
	recordTokens(strings.TrimSpace(before), own)
	if code != 0 || own == "" || own == strings.TrimSpace(before) || statusOf(t, demo.MCP(), own) != http.StatusOK {
		t.Fatalf("exit code %d:\n%s", code, log)
	}
	checkNoPlaintextToken(t, s.temp, []string{own})
	if log, code := s.script("post.js", overrides...); code != 0 || !strings.Contains(log, "revoked the tokens") {
		t.Errorf("post.js: exit code %d:\n%s", code, log)
	}
	if after := s.want(0, "token", "demo", "--agent-sock=").stdout; after != before || statusOf(t, demo.MCP(), strings.TrimSpace(after)) != http.StatusOK {
		t.Error("the job changed or ended the team's token")
	}
	if got := statusOf(t, demo.MCP(), own); got != http.StatusUnauthorized {
		t.Errorf("after the job, its own token gets status %d, want 401", got)
	}
	s.checkGone()
}

// TestActionReportsMissingInput: an error of the action is one line with a remedy, and
// nothing is left behind.
func TestActionReportsMissingInput(t *testing.T) {
	for _, tt := range []struct {
		name string
		env  []string
		want string
	}{
		{"no Go", []string{"INPUT_PROGRAM=", "PATH=/nowhere"}, `::error::mcp-login: "go" cannot be run (ENOENT): install Go before this step, for example with actions/setup-go, or set the input program to an installed mcp-login`},
		{"no program", []string{"INPUT_PROGRAM=/nowhere/mcp-login"}, `::error::mcp-login: "/nowhere/mcp-login" cannot be run (ENOENT): set the input program to the path of an installed mcp-login, or leave it out to download one`},
		{"no name", []string{"INPUT_NAME= "}, "::error::mcp-login: the input name is empty: set it to a profile name, such as notion"},
		{"no credential", []string{"INPUT_URL="}, "::error::mcp-login: no credential: set the input url to sign in, or the input store to a store that has one"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newActionStep(t, "INPUT_URL=http://127.0.0.1:1/mcp")
			if log, code := s.script("main.js", tt.env...); code != 1 || log != tt.want+"\n" {
				t.Errorf("exit code %d, %q, want 1, %q", code, log, tt.want)
			}
			if made := s.file("GITHUB_STATE")["dir"]; tt.name == "no name" && made != "" {
				t.Errorf("%s was created", made)
			}
			if log, code := s.script("post.js", tt.env...); code != 0 || log != "" {
				t.Errorf("post.js: exit code %d, %q, want 0 and nothing", code, log)
			}
			s.checkGone()
		})
	}
}

// TestActionReportsFailedLoginOnce: the step reports the failure, and post.js adds no
// error. A client that was registered for the failed sign-in is deregistered.
func TestActionReportsFailedLoginOnce(t *testing.T) {
	for _, tt := range []struct {
		name, url string
		code      int
	}{
		{"no server", "http://127.0.0.1:1/mcp", 3},
		{"another subject", startDemo(t).MCP(), 5},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newActionStep(t, "INPUT_URL="+tt.url, "INPUT_EXPECT-SUBJECT=team")
			log, code := s.script("main.js")
			if code != tt.code || strings.Count(log, "mcp-login: ") != 1 || strings.Contains(log, "::error::") {
				t.Errorf("exit code %d, want %d:\n%s", code, tt.code, log)
			}
			if log, code := s.script("post.js"); code != 0 || strings.Contains(log, "mcp-login: ") || strings.Contains(log, "hint: ") {
				t.Errorf("post.js: exit code %d:\n%s", code, log)
			}
			s.checkGone()
		})
	}
}

// TestActionPinsProgramVersion: the action at a tag or commit builds that version.
func TestActionPinsProgramVersion(t *testing.T) {
	const commit = "0123456789abcdef0123456789abcdef01234567"
	for _, tt := range []struct{ ref, version, want string }{
		{"v1", "", "v1"},
		{"v1.2.3-rc.1", "", "v1.2.3-rc.1"},
		{"refs/tags/v1.2.3", "", "v1.2.3"},
		{commit, "", commit},
		{commit, "v1.0.0", "v1.0.0"},
		{"main", "", "latest"},
		{"v1-fixes/x", "", "latest"},
		{"", "", "latest"},
	} {
		s := newActionStep(t, "INPUT_URL=http://127.0.0.1:1/mcp", "INPUT_PROGRAM=", "INPUT_VERSION="+tt.version, "GITHUB_ACTION_REF="+tt.ref)
		tools := t.TempDir()
		if err := writeProgram(filepath.Join(tools, "go"), "#!/bin/sh\necho \"go $*\"\nexit 9\n"); err != nil {
			t.Fatal(err)
		}
		log, code := s.script("main.js", "PATH="+tools+":/usr/bin:/bin")
		if want := "go install github.com/mcp-login/mcp-login/cmd/mcp-login@" + tt.want + "\n"; code != 9 || log != want {
			t.Errorf("at %q with version %q: exit code %d, %q, want 9, %q", tt.ref, tt.version, code, log, want)
		}
	}
}

// TestActionKeepsTeamCredentialInRunner is TestActionKeepsTeamCredential with a real
// runner.
func TestActionKeepsTeamCredentialInRunner(t *testing.T) {
	demo := startDemo(t)
	user := newHome(t)
	user.env = append(user.env, "MCP_LOGIN_STORE=file:"+filepath.Join(user.dir, "team"))
	user.want(0, "login", "demo", demo.MCP(), "--flow", "device")
	args := []string{"--var", "MCP_URL=" + demo.MCP(), "--env", "XDG_STATE_HOME=" + filepath.Join(user.dir, "state"), "--env", "MCP_LOGIN_STORE=file:" + filepath.Join(user.dir, "team")}
	log, ok := newRepository(t).act("examples/github-actions/workflows/device.yml", args...)
	token := user.token("demo")
	recordTokens(token)
	if !ok || strings.Contains(log, "revoked the tokens") || statusOf(t, demo.MCP(), token) != http.StatusOK {
		t.Errorf("the workflow ended with %t, and the team's token may be gone:\n%s", ok, log)
	}
}
