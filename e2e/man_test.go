//go:build e2e

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestManual checks the manual page with the programs that display it: groff and mandoc
// report nothing, and man shows the text.
func TestManual(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	path := filepath.Join(h.dir, "mcp-login.1")
	if err := os.WriteFile(path, []byte(h.want(0, "man").stdout), 0o644); err != nil {
		t.Fatal(err)
	}
	groff := exec.Command("groff", "-man", "-Tutf8", "-ww", path)
	var warnings strings.Builder
	groff.Stderr = &warnings
	if err := groff.Run(); err != nil || warnings.Len() > 0 {
		t.Errorf("groff: %v\n%s", err, &warnings)
	}
	lint, _ := exec.Command("mandoc", "-T", "lint", "-W", "warning", path).CombinedOutput() // the output counts, not the exit code
	for line := range strings.Lines(string(lint)) {
		if !strings.Contains(line, "missing date") { // a build outside a clone has none
			t.Errorf("mandoc: %s", line)
		}
	}
	man := exec.Command("man", "-l", path)
	man.Env = append(h.env, "MANWIDTH=400", "LC_ALL=C.UTF-8")
	shown := strings.Join(strings.Fields(output(t, man)), " ")
	for _, want := range []string{
		"MCP-LOGIN(1)", "mcp-login - OAuth sign-in for MCP servers", `eval "$(mcp-login env NAME)" # sets MCP_NAME_AUTHORIZATION`,
		"exec NAME CMD...", "--min-ttl DURATION Refresh a token that expires within DURATION (default: 1m)", "[$MCP_LOGIN_MIN_TTL]", "~/.local/share/mcp-login", "130 interrupted",
	} {
		if !strings.Contains(shown, want) {
			t.Errorf("man does not show %q", want)
		}
	}
}
