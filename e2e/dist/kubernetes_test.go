//go:build e2e && dist

package dist

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestKubernetesManifests validates the examples with Kubernetes' own schemas, which
// reject unknown fields.
func TestKubernetesManifests(t *testing.T) {
	files, err := filepath.Glob("../../examples/kubernetes/*.yaml")
	if err != nil || len(files) != 2 {
		t.Fatalf("examples %q, %v", files, err)
	}
	check := func(files ...string) *exec.Cmd {
		return exec.Command(provide(t, "kubeconform"), append([]string{"-strict", "-summary", "-schema-location", "testdata/schemas/{{.ResourceKind}}{{.KindSuffix}}.json"}, files...)...)
	}
	if got := output(t, check(files...)); !strings.Contains(got, "5 resources found in 2 files - Valid: 5, Invalid: 0, Errors: 0, Skipped: 0") {
		t.Errorf("kubeconform: %s", got)
	}
	wrong := filepath.Join(t.TempDir(), "wrong.yaml")
	text := strings.Replace(string(read(t, files[1])), "readOnlyRootFilesystem", "readOnlyRootFileSystem", 1)
	if err := os.WriteFile(wrong, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, out := outputOfFailure(t, check(wrong)); !strings.Contains(out, "readOnlyRootFileSystem") {
		t.Errorf("kubeconform on a misspelled field: %s", out)
	}
}

// TestKubernetesSidecar runs the agent as in examples/kubernetes/sidecar.yaml. Its
// socket is in a volume that every user of the pod can write to.
func TestKubernetesSidecar(t *testing.T) {
	needRoot(t)
	const socket = "/run/agent/mcp-login/agent.sock"
	text := string(read(t, "../../examples/kubernetes/sidecar.yaml"))
	for _, want := range []string{"value: " + socket, "name: XDG_RUNTIME_DIR\n              value: /run/agent\n", "mountPath: /home/mcp-login", "args: [agent, --log-level, info, --log-format, json]"} {
		if !strings.Contains(text, want) {
			t.Errorf("the example lacks %q", want)
		}
	}
	c := newContainer(t)
	shared := t.TempDir()
	if err := os.Chown(shared, 0, 65532); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(shared, 0o777|os.ModeSetgid); err != nil { // as for an emptyDir with fsGroup
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(c.root, "run/agent"), 0o755); err != nil {
		t.Fatal(err)
	}
	c.mounts = []string{shared, "/run/agent"}

	demo := startDemo(t)
	output(t, c.cmd("login", "demo", demo.MCP(), "--flow", "device"))
	c.startAgent(t, []string{"XDG_RUNTIME_DIR=/run/agent"}, "--log-level", "info", "--log-format", "json")
	output(t, c.cmd("list", "--agent-sock", socket)) // the readiness probe
	application := c.cmd("token", "demo")
	application.Env = append(application.Env, "MCP_LOGIN_AGENT_SOCK="+socket)
	checkToken(t, demo, strings.TrimSpace(output(t, application)))
}
