//go:build e2e

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// relayExample is a file of examples/relay, with the tool that checks such files.
type relayExample struct {
	file  string
	check func(t *testing.T, path string) *exec.Cmd
	// faults are changes that make the file invalid, and what the tool reports for each.
	faults map[[2]string]string
}

var relayExamples = []relayExample{
	{"kubernetes.yaml", func(t *testing.T, path string) *exec.Cmd {
		tool := provideTool(t, "kubeconform")
		return exec.Command(tool, "-strict", "-schema-location", "dist/testdata/schemas/{{.ResourceKind}}{{.KindSuffix}}.json", path)
	}, map[[2]string]string{
		{"readinessProbe", "readynessProbe"}:                   "readynessProbe",
		{"replicas: 2", "replicas: two"}:                       "replicas",
		{"minAvailable: 1", "minAvailible: 1"}:                 "minAvailible",
		{"{port: 6379}", "{port: redis}"}:                      "port",
		{"kind: PodDisruptionBudget", "kind: PodBudget"}:       "PodBudget",
		{"allowPrivilegeEscalation: false", "privilege: none"}: "privilege",
	}},
	{"compose.yaml", func(t *testing.T, path string) *exec.Cmd {
		return exec.Command(provideTool(t, "compose"), "-no-interpolation", path)
	}, map[[2]string]string{
		{"stop_grace_period", "stop_grace_time"}:                "stop_grace_time",
		{"depends_on: [redis]", "depends_on: [valkey]"}:         "valkey",
		{"[client-token, sessions-key]", "[client-token, key]"}: "key",
		{"read_only: true", "read_only: [yes]"}:                 "read_only",
	}},
	{"mcp-login-relay.service", func(_ *testing.T, path string) *exec.Cmd {
		return exec.Command("systemd-analyze", "verify", "--man=no", path)
	}, map[[2]string]string{
		{"ProtectSystem=strict", "ProtectSystem=very"}:       "protect system value",
		{"StateDirectoryMode", "StateDirMode"}:               "StateDirMode",
		{"ExecStart=/usr/local/bin", "ExecStart=/nowhere"}:   "nowhere",
		{"LoadCredential=client-token:/", "LoadCredential="}: "Credential name",
	}},
}

func provideTool(t *testing.T, name string) string {
	t.Helper()
	path, err := provide(name)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// TestRelayExamples: the tool for each kind of file accepts the example, and detects
// faults.
func TestRelayExamples(t *testing.T) {
	t.Parallel()
	for _, e := range relayExamples {
		t.Run(e.file, func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(filepath.Join("../examples/relay", e.file))
			if err != nil {
				t.Fatal(err)
			}
			good := strings.ReplaceAll(string(text), "/usr/local/bin/mcp-login", program) // the path must exist
			if out, err := e.checkText(t, good); err != nil || strings.HasSuffix(e.file, ".service") && out != "" {
				t.Errorf("%v\n%s", err, out)
			}
			for fault, message := range e.faults {
				bad := strings.Replace(string(text), fault[0], fault[1], 1)
				if bad == string(text) {
					t.Errorf("the example does not contain %q", fault[0])
				}
				if out, err := e.checkText(t, strings.ReplaceAll(bad, "/usr/local/bin/mcp-login", program)); !strings.Contains(out, message) {
					t.Errorf("%q in place of %q is not detected: %v\n%s", fault[1], fault[0], err, out)
				}
			}
		})
	}
}

func (e relayExample) checkText(t *testing.T, text string) (string, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), e.file)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := e.check(t, path).CombinedOutput()
	return string(out), err
}

// TestRelayExampleCommands starts the relay with the command of each example: the
// options exist and can be combined. Only addresses and files are replaced.
func TestRelayExampleCommands(t *testing.T) {
	t.Parallel()
	for file, command := range map[string]*regexp.Regexp{
		"kubernetes.yaml":         regexp.MustCompile(`(?s)args: \[(relay,.*?)\]\n`),
		"compose.yaml":            regexp.MustCompile(`(?s)command: \[(relay,.*?)\]\n`),
		"mcp-login-relay.service": regexp.MustCompile(`ExecStart=\S+ (relay .*)\n`),
	} {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(filepath.Join("../examples/relay", file))
			if err != nil {
				t.Fatal(err)
			}
			found := command.FindStringSubmatch(string(text))
			if found == nil {
				t.Fatal("no command")
			}
			h := newHome(t)
			for _, name := range []string{"client-token", "sessions-key"} {
				if err := os.WriteFile(filepath.Join(h.dir, name), []byte(strings.Repeat("k", 32)), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			words := strings.NewReplacer(`"`, "", ",", " ", "${RELAY_BASE_URL:?https://login.example.com}", "https://login.example.com",
				"/run/secrets", h.dir, "/secrets", h.dir, "${CREDENTIALS_DIRECTORY}", h.dir, "${STATE_DIRECTORY}", h.dir,
				" :8080", " 127.0.0.1:0", " :443", " 127.0.0.1:0", "127.0.0.1:9464", "127.0.0.1:0").Replace(found[1])
			run := h.start(strings.Fields(words)...)
			run.stderr.await(t, regexp.MustCompile(`relay: https://login\.example\.com, listening on`))
			stopReplica(run)
		})
	}
}
