package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mcp-login/mcp-login/internal/exit"
)

// TestHookKeepsFlags: the hook uses the same store in every working directory.
func TestHookKeepsFlags(t *testing.T) {
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"bash"}, ` --due "$name" </dev/null`},
		{[]string{"zsh", "--min-ttl", "90s"}, ` --due $name --min-ttl 90s </dev/null`},
		{[]string{"bash", "--profile-dir", "a b"}, ` --due "$name" --profile-dir '` + filepath.Join(here, "a b") + `' </dev/null`},
		{[]string{"fish", "--store", "file:x"}, ` --due $name --store file:` + filepath.Join(here, "x") + ` </dev/null`},
		{[]string{"fish", "--store", `vault:it's\x`}, ` --due $name --store 'vault:it\'s\\x' </dev/null`},
		{[]string{"zsh", "--store", `vault:it's`, "--timeout", "5s"}, ` --due $name --store 'vault:it'\''s' --timeout 5s </dev/null`},
	} {
		e, out, stderr := testEnv(t)
		if code := run(t.Context(), append([]string{"hook"}, tt.args...), &e.env); code != exit.Done || stderr.Len() > 0 {
			t.Errorf("%q: exit code %d\n%s", tt.args, code, stderr)
		}
		if !strings.Contains(out.String(), tt.want) || strings.Contains(out.String(), "@FLAGS") || strings.Contains(out.String(), "@MARGIN") {
			t.Errorf("%q: no %s in\n%s", tt.args, tt.want, out)
		}
	}
	e, out, _ := testEnv(t)
	if run(t.Context(), []string{"hook", "bash", "--min-ttl", "90s"}, &e.env); !strings.Contains(out.String(), "now + 90)") {
		t.Errorf("--min-ttl is missing in\n%s", out)
	}
}

// TestHookPrintsOneLine: an error before a prompt is always one line, and no code is
// printed for the shell.
func TestHookPrintsOneLine(t *testing.T) {
	for _, tt := range []struct {
		args []string
		code int
	}{
		{[]string{"tcsh"}, exit.BadUsage},
		{[]string{"bash", "--due", "PATH"}, exit.BadUsage},
		{[]string{"bash", "--due", "MCP_NOBODY_EXPIRES_AT"}, exit.LoginRequired},
	} {
		e, out, stderr := testEnv(t)
		code := run(t.Context(), append([]string{"hook"}, tt.args...), &e.env)
		lines := strings.Count(strings.TrimSuffix(stderr.String(), "Run mcp-login hook --help\n"), "\n")
		if code != tt.code || out.Len() > 0 || lines != 1 {
			t.Errorf("%q: exit code %d, standard output %q, standard error %q", tt.args, code, out, stderr)
		}
	}
}
