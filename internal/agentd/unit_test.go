package agentd_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mcp-login/mcp-login/internal/agentd"
)

// TestUnit: the units start this program, are written once, and are removed with
// the links that enable them. Files of others are kept.
func TestUnit(t *testing.T) {
	u := agentd.Unit{Dir: filepath.Join(t.TempDir(), "systemd", "user"), Program: "/opt/my tools/100%/mcp-login"}
	service := filepath.Join(u.Dir, "mcp-login-agent.service")
	install := func(want ...string) {
		t.Helper()
		steps, err := u.Install()
		text := strings.Join(steps, "\n")
		for _, w := range append(want, "systemctl --user enable --now mcp-login-agent.socket", "export MCP_LOGIN_AGENT_SOCK=") {
			if err != nil || !strings.Contains(text, w) {
				t.Errorf("install: no %q in %q, %v", w, text, err)
			}
		}
	}
	install("wrote "+service, "wrote "+strings.TrimSuffix(service, "service")+"socket")
	text, err := os.ReadFile(service)
	if err != nil || !strings.Contains(string(text), "\nExecStart=\"/opt/my tools/100%%/mcp-login\" agent ") {
		t.Errorf("%v\n%s", err, text)
	}
	install("unchanged: " + service)
	u.Program = "/usr/bin/mcp-login"
	install("wrote " + service)

	wants := filepath.Join(u.Dir, "default.target.wants")
	if err := os.Mkdir(wants, 0o755); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(wants, "mcp-login-agent.service")
	if err := os.Symlink(service, link); err != nil {
		t.Skip(err) // Windows
	}
	steps, err := u.Remove()
	text = []byte(strings.Join(steps, "\n"))
	if err != nil || !strings.Contains(string(text), "removed "+service) || !strings.Contains(string(text), "removed "+link) || !strings.Contains(string(text), "systemctl --user stop") {
		t.Errorf("remove: %q, %v", text, err)
	}
	if left, _ := filepath.Glob(filepath.Join(u.Dir, "*", "*")); len(left) > 0 {
		t.Errorf("left: %q", left)
	}
	if steps, err := u.Remove(); err != nil || len(steps) != 1 || !strings.Contains(steps[0], "nothing is installed") {
		t.Errorf("remove again: %q, %v", steps, err)
	}

	if err := os.WriteFile(service, []byte("[Unit]\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, change := range []func() ([]string, error){u.Install, u.Remove} {
		if _, err := change(); err == nil || !strings.Contains(err.Error(), "is not from agent install") {
			t.Errorf("with an existing file of another program: %v", err)
		}
	}
	if text, _ := os.ReadFile(service); string(text) != "[Unit]\n" {
		t.Errorf("the file of another program is now %q", text)
	}
}

// TestUnitOfHostilePaths: a path cannot add a line to a unit, and a folder's name
// is not used as a glob pattern that removes links of another folder.
func TestUnitOfHostilePaths(t *testing.T) {
	dir := t.TempDir()
	u := agentd.Unit{Dir: filepath.Join(dir, "user"), Program: "/opt/x\nExecStartPre=/bin/evil\n/mcp-login"}
	if steps, err := u.Install(); err == nil {
		t.Errorf("installed: %q", steps)
	}
	link := filepath.Join(dir, "a", "default.target.wants", "mcp-login-agent.service")
	u = agentd.Unit{Dir: filepath.Join(dir, "[a]"), Program: "/usr/bin/mcp-login"}
	if err := os.MkdirAll(filepath.Dir(link), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(link, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := u.Install(); err != nil {
		t.Fatal(err)
	}
	if steps, err := u.Remove(); err != nil {
		t.Error(steps, err)
	}
	if _, err := os.Stat(link); err != nil {
		t.Error(err)
	}
}
