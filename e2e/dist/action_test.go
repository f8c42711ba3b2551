//go:build e2e && dist

package dist

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// actionStep returns a command that runs the action's main.js as a runner would.
func actionStep(t *testing.T, releases string, env ...string) (cmd *exec.Cmd, temp string) {
	t.Helper()
	script, err := filepath.Abs("../../examples/github-actions/main.js")
	if err != nil {
		t.Fatal(err)
	}
	a := newAccount(t, "node", script)
	temp = t.TempDir()
	cmd = a.cmd()
	node, err := exec.LookPath("node")
	if err != nil {
		t.Fatal(err)
	}
	cmd.Path = node
	cmd.Env = append(cmd.Env, "GITHUB_ACTIONS=true", "RUNNER_TEMP="+temp, "INPUT_NAME=demo", "INPUT_FLOW=device", "INPUT_RELEASES="+releases)
	for _, name := range []string{"GITHUB_STATE", "GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_STEP_SUMMARY"} {
		cmd.Env = append(cmd.Env, name+"="+filepath.Join(a.dir, name))
	}
	cmd.Env = append(cmd.Env, env...)
	return cmd, temp
}

// TestActionDownloadsTheRelease: without Go, the action signs in with the program of
// the release that it is pinned to.
func TestActionDownloadsTheRelease(t *testing.T) {
	major, _, _ := strings.Cut(metadata.Version, ".")
	for _, version := range []string{"v" + metadata.Version, "latest", "v" + major} {
		t.Run(version, func(t *testing.T) {
			demo := startDemo(t)
			cmd, temp := actionStep(t, releases(t, nil), "INPUT_URL="+demo.MCP(), "INPUT_VERSION="+version, "PATH=/usr/bin:/bin")
			log := output(t, cmd)
			programs, err := filepath.Glob(filepath.Join(temp, "mcp-login-*", "bin", "*"))
			if err != nil || len(programs) != 1 {
				t.Fatalf("programs %q, %v\n%s", programs, err, log)
			}
			if got := output(t, exec.Command(programs[0], "version")); !strings.Contains(got, metadata.Version) {
				t.Errorf("version: %q", got)
			}
			exported := demoToken.FindString(string(read(t, filepath.Join(cmd.Dir, "GITHUB_ENV"))))
			checkToken(t, demo, exported)
		})
	}
}

// TestActionRejectsCorruptedRelease: an archive with a wrong checksum is neither run
// nor replaced by a build.
func TestActionRejectsCorruptedRelease(t *testing.T) {
	url := releases(t, func(name string, data []byte) []byte {
		if strings.HasSuffix(name, ".gz") {
			data[len(data)/2] ^= 1
		}
		return data
	})
	cmd, temp := actionStep(t, url, "INPUT_URL=http://127.0.0.1:1/mcp", "INPUT_VERSION=latest")
	if code, out := outputOfFailure(t, cmd); code != 1 || !strings.HasPrefix(out, "::error::mcp-login: mcp-login_") || !strings.Contains(out, "but the release lists") {
		t.Errorf("exit code %d: %s", code, out)
	}
	if left := filesBelow(t, temp); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

// TestActionBuildsWithoutARelease: the action prints the reason, then runs go.
func TestActionBuildsWithoutARelease(t *testing.T) {
	tools := t.TempDir()
	if err := os.WriteFile(filepath.Join(tools, "go"), []byte("#!/bin/sh\necho \"go $*\"\nexit 9\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ version, reason string }{
		{"v99.0.0", "HTTP 404"},
		{"v99", "the latest release is " + metadata.Version},
		{"0123456789abcdef0123456789abcdef01234567", "a commit has no release"},
	} {
		cmd, _ := actionStep(t, releases(t, nil), "INPUT_URL=http://127.0.0.1:1/mcp", "INPUT_VERSION="+tt.version, "PATH="+tools+":/usr/bin:/bin")
		if code, out := outputOfFailure(t, cmd); code != 9 || !strings.Contains(out, tt.reason) || !strings.Contains(out, "cmd/mcp-login@"+tt.version+"\n") {
			t.Errorf("%s: exit code %d: %s", tt.version, code, out)
		}
	}
}

// TestRootAction: the action at the root of the repository is the same as in
// examples/github-actions.
func TestRootAction(t *testing.T) {
	body := func(path string) string {
		_, after, _ := strings.Cut("\n"+string(read(t, path)), "\nname: ")
		return regexp.MustCompile(`(?m)^  (main|post): (?:examples/github-actions/)?`).ReplaceAllString(after, "  $1: ")
	}
	if top, inner := body("../../action.yml"), body("../../examples/github-actions/action.yml"); top != inner {
		t.Errorf("action.yml differs:\n%s\n%s", top, inner)
	}
}
