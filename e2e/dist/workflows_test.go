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

func workflows(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob("../../.github/workflows/*.yml")
	if err != nil || len(files) < 3 {
		t.Fatalf("workflows %q, %v", files, err)
	}
	return files
}

func TestWorkflowsPassActionlint(t *testing.T) {
	lint := exec.Command(provide(t, "actionlint"), workflows(t)...)
	if out, err := lint.CombinedOutput(); err != nil {
		t.Errorf("actionlint: %v\n%s", err, out)
	}
}

var (
	pinned     = regexp.MustCompile(`^\s*(?:- )?uses: [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$`)
	expression = regexp.MustCompile(`\$\{\{`)
)

// TestWorkflowsHaveMinimalPermissions: every action is pinned to a commit, workflows
// grant only read access to all jobs, no checkout leaves credentials behind, and no
// script contains an expression.
func TestWorkflowsHaveMinimalPermissions(t *testing.T) {
	for _, path := range workflows(t) {
		text := string(read(t, path))
		name := filepath.Base(path)
		if !strings.Contains(text, "\npermissions:\n  contents: read\n\n") {
			t.Errorf("%s grants more than read access to all jobs", name)
		}
		if strings.Contains(text, "pull_request_target") || strings.Contains(text, "workflow_run") {
			t.Errorf("%s runs code of pull requests with write access", name)
		}
		if got, want := strings.Count(text, "persist-credentials: false"), strings.Count(text, "uses: actions/checkout@"); got != want {
			t.Errorf("%s: %d of %d checkouts do not persist credentials", name, got, want)
		}
		script, indent := false, 0
		for i, line := range strings.Split(text, "\n") {
			if strings.Contains(line, "uses: ") && !pinned.MatchString(line) {
				t.Errorf("%s:%d: not pinned: %s", name, i+1, line)
			}
			depth := len(line) - len(strings.TrimLeft(line, " "))
			if script && strings.TrimSpace(line) != "" && depth <= indent {
				script = false
			}
			if strings.HasPrefix(strings.TrimPrefix(strings.TrimSpace(line), "- "), "run: ") {
				script, indent = true, depth
			}
			if script && expression.MatchString(line) {
				t.Errorf("%s:%d: an expression in a script: %s", name, i+1, line)
			}
		}
	}
}

// TestWorkflowRuns runs the Linux job of ci.yml with one make target on this machine.
// Empty actions replace those that set up tools, because the tools are already
// installed.
func TestWorkflowRuns(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "clone")
	output(t, exec.Command("git", "clone", "-q", "../..", dir))
	empty := t.TempDir()
	action := "name: empty\nruns:\n  using: composite\n  steps:\n    - run: 'true'\n      shell: sh\n"
	if err := os.WriteFile(filepath.Join(empty, "action.yml"), []byte(action), 0o644); err != nil {
		t.Fatal(err)
	}
	args := []string{"workflow_dispatch", "-P", "ubuntu-latest=-self-hosted", "-W", ".github/workflows/ci.yml", "-j", "linux", "--input", "target=shape"}
	text := string(read(t, "../../.github/workflows/ci.yml"))
	for _, m := range regexp.MustCompile(`uses: (actions/(?:setup-go|setup-node|cache)@[0-9a-f]{40})`).FindAllStringSubmatch(text, -1) {
		args = append(args, "--local-repository", m[1]+"="+empty)
	}
	cmd := exec.Command(provide(t, "act"), args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir(), "GOCACHE="+strings.TrimSpace(output(t, exec.Command("go", "env", "GOCACHE"))),
		"GOMODCACHE="+strings.TrimSpace(output(t, exec.Command("go", "env", "GOMODCACHE"))))
	if out := output(t, cmd); !strings.Contains(out, "Success - Main Check and test") || !strings.Contains(out, "ok  \tgithub.com/mcp-login/mcp-login\t") {
		t.Errorf("act: %s", out)
	}
}
