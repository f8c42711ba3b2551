//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"errors"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// TestFailureStopsScriptAfterEval: in every real shell, a script that stops at errors
// stops with the exit code of env if env fails inside eval.
func TestFailureStopsScriptAfterEval(t *testing.T) {
	h := newHome(t)
	const rest = "; echo reached"
	strict := []string{"-eu", "-c", "eval \"$(mcp-login env ARGS)\"" + rest}
	bash := []string{"-c", "set -euo pipefail; eval \"$(mcp-login env ARGS)\"" + rest}
	for _, tt := range []struct {
		name string
		argv []string
	}{
		{"bash", append([]string{"bash"}, bash...)},
		{"bash-posix", append([]string{"bash", "--posix"}, bash...)},
		{"zsh", append([]string{"zsh", "-f"}, bash...)},
		{"ksh93", append([]string{"ksh93"}, bash...)},
		{"mksh", append([]string{"mksh"}, bash...)},
		{"busybox", append([]string{"busybox", "sh"}, bash...)},
		{"dash", append([]string{"dash"}, strict...)},
		{"yash", append([]string{"yash"}, strict...)},
		{"fish", []string{"fish", "--no-config", "-c", "eval (mcp-login env --format fish ARGS); or exit $status" + rest}},
		{"fish-source", []string{"fish", "--no-config", "-c", "mcp-login env --format fish ARGS | source; or exit $status" + rest}},
	} {
		for args, want := range map[string]int{"nobody": 4, "nobody --no-such-flag": 2, "": 2} {
			t.Run(strings.TrimSpace(tt.name+" "+args), func(t *testing.T) {
				t.Parallel()
				argv := append([]string{}, tt.argv...)
				last := &argv[len(argv)-1]
				*last = strings.Replace(*last, "ARGS", args, 1)
				if stdout, code := h.shell(t, argv); code != want || stdout != "" {
					t.Errorf("exit code %d, want %d; standard output %q", code, want, stdout)
				}
			})
		}
	}
}

// TestEmptyOutputFailsInShell: these shells return the exit code of a program inside
// eval by themselves, so env prints nothing for them.
func TestEmptyOutputFailsInShell(t *testing.T) {
	h := newHome(t)
	nu := strings.TrimSpace(output(t, exec.Command("./provide", "nushell")))
	for name, argv := range map[string][]string{
		"tcsh":    {"tcsh", "-f", "-e", "-c", "eval \"`mcp-login env nobody --format tcsh`\"; echo reached"},
		"elvish":  {"elvish", "-norc", "-c", "eval (mcp-login env nobody --format elvish | slurp); echo reached"},
		"nushell": {nu, "--no-config-file", "-c", "mcp-login env nobody --format json | from json | load-env; ^echo reached"},
	} {
		t.Run(name, func(t *testing.T) {
			if stdout, code := h.shell(t, argv); code == 0 || stdout != "" {
				t.Errorf("exit code %d, standard output %q", code, stdout)
			}
		})
	}
}

// shell runs a shell in the home and returns its output and exit code.
func (h *home) shell(t *testing.T, argv []string) (stdout string, code int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env, cmd.Dir = h.env, h.dir
	var out, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &stderr
	err := cmd.Run()
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
		t.Fatal(err)
	}
	if !strings.Contains(stderr.String(), "mcp-login: ") {
		t.Errorf("the reason is not printed: %s", stderr.String())
	}
	return out.String(), cmd.ProcessState.ExitCode()
}
