package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mcp-login/mcp-login/internal/exit"
)

// step is the effect of one step on the job's log and on later steps.
type step struct {
	code     int
	out, err string // as read by the runner
	exported string // $GITHUB_ENV
	left     string // written by the script to the file "left"
}

// runStep runs a script by a shell whose output streams the runner reads. mcp-login
// in the script is the test binary, which TestMain has added to PATH.
func (j *ciJob) runStep(t *testing.T, shell, script string) step {
	t.Helper()
	dir := t.TempDir()
	env := []string{"PATH=" + os.Getenv("PATH")}
	for name, value := range j.vars {
		if name != "GITHUB_ENV" {
			env = append(env, name+"="+value)
		}
	}
	sink := filepath.Join(dir, "env")
	file := filepath.Join(dir, "step.sh")
	if err := os.WriteFile(file, []byte(script), 0o600); err != nil {
		t.Fatal(err)
	}
	words := strings.Fields(shell)
	for _, program := range []string{words[0], "make", "node", "python3"} {
		if _, err := exec.LookPath(program); err != nil && strings.Contains(shell+" "+script, program+" ") {
			t.Skip(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), words[0], append(words[1:], file)...)
	cmd.Dir, cmd.Env = dir, append(env, "GITHUB_ENV="+sink)
	var out, log bytes.Buffer
	cmd.Stdout, cmd.Stderr = struct{ io.Writer }{&out}, struct{ io.Writer }{&log}
	err := cmd.Run()
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
		t.Fatal(err)
	}
	read := func(name string) string {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		return string(text)
	}
	return step{cmd.ProcessState.ExitCode(), out.String(), log.String(), read("env"), read("left")}
}

// leaks returns where the token is in clear text: on a stream, except in a mask at
// the start of a line, or in a file of the step.
func (s step) leaks() string {
	for name, text := range map[string]string{"standard output": s.out, "standard error": s.err, "a file": s.left} {
		for line := range strings.Lines(text) {
			if strings.Contains(line, storedToken) && !strings.HasPrefix(line, "::add-mask::") {
				return name + ": " + line
			}
		}
	}
	return ""
}

func (s step) masked() bool {
	return strings.Contains(s.out+s.err, "::add-mask::Bearer "+storedToken+"\n::add-mask::"+storedToken+"\n")
}

var stepShells = []string{"sh", "bash -eo pipefail", "dash -e", "busybox sh -e", "zsh -e"}

// TestMaskReachesTheRunner: a step is `bash -e FILE`, and both of its streams are
// pipes to the runner. However the command is wrapped, if it inherits them, the
// mask is written first and the variables are exported.
func TestMaskReachesTheRunner(t *testing.T) {
	j := newCIJob(t, "GITHUB_ACTIONS=true")
	for name, script := range map[string]string{
		"plain":            `mcp-login env demo --ci`,
		"or true":          `mcp-login env demo --ci || true`,
		"set +e":           "set +e\nmcp-login env demo --ci",
		"eval":             `eval "$(mcp-login env demo --ci)"`,
		"backquotes":       "eval \"`mcp-login env demo --ci`\"",
		"variable":         `x=$(mcp-login env demo --ci); echo "$x"`,
		"no output":        `mcp-login env demo --ci >/dev/null`,
		"closed output":    `mcp-login env demo --ci >&-`,
		"output to a file": `mcp-login env demo --ci >left`,
		"piped output":     `mcp-login env demo --ci | cat`,
		"merged streams":   `mcp-login env demo --ci 2>&1`,
		"streams swapped":  `mcp-login env demo --ci >&2`,
		"subshell":         `(mcp-login env demo --ci)`,
		"function":         "f() { mcp-login env demo --ci; }\nf",
		"another shell":    `bash -c 'mcp-login env demo --ci; true'`,
		"replaced shell":   `bash -c 'exec mcp-login env demo --ci'`,
		"replaced step":    `exec mcp-login env demo --ci`,
		"wrapper program":  `timeout 60 mcp-login env demo --ci`,
		"make":             "printf 'all:\\n\\t@mcp-login env demo --ci\\n' >m\nmake -s -f m",
		"node script":      `node -e 'require("child_process").execFileSync("mcp-login", ["env", "demo", "--ci"], { stdio: "inherit" })'`,
		"no input":         `mcp-login env demo --ci </dev/null`,
		"background":       "mcp-login env demo --ci &\nwait",
	} {
		for _, shell := range stepShells {
			t.Run(name+"/"+shell, func(t *testing.T) {
				t.Parallel()
				s := j.runStep(t, shell, script)
				if s.code != exit.Done || !s.masked() || !strings.Contains(s.exported, storedToken) {
					t.Errorf("exit code %d, masked %t, exported %q\nstandard output: %s\nstandard error: %s", s.code, s.masked(), s.exported, s.out, s.err)
				}
				if where := s.leaks(); where != "" {
					t.Errorf("the token is in %s", where)
				}
			})
		}
	}
}

// TestNothingIsExportedIfTheMaskIsLost: a line that the runner does not read as
// a mask would either show the token or leave it unmasked in later steps.
func TestNothingIsExportedIfTheMaskIsLost(t *testing.T) {
	j := newCIJob(t, "GITHUB_ACTIONS=true")
	for name, script := range map[string]string{
		"no errors":             `mcp-login env demo --ci 2>/dev/null`,
		"neither":               `mcp-login env demo --ci >/dev/null 2>&1`,
		"closed":                `mcp-login env demo --ci 2>&-`,
		"both closed":           `mcp-login env demo --ci >&- 2>&-`,
		"full":                  `mcp-login env demo --ci 2>/dev/full`,
		"file":                  `mcp-login env demo --ci 2>left`,
		"pipe":                  `mcp-login env demo --ci 2>&1 | cat >left`,
		"eval of both":          `eval "$(mcp-login env demo --ci 2>&1)"`,
		"variable of both":      `x=$(mcp-login env demo --ci 2>&1); echo " $x"`,
		"for the whole script":  "exec 2>/dev/null\nmcp-login env demo --ci",
		"closed for all":        "exec 2>&-\nmcp-login env demo --ci",
		"function":              "f() { mcp-login env demo --ci; }\nf 2>/dev/null",
		"captured function":     "f() { mcp-login env demo --ci; }\nx=$(f 2>&1; true)",
		"piped group":           `{ mcp-login env demo --ci; true; } 2>&1 | cat >left`,
		"piped shell":           `bash -c 'mcp-login env demo --ci; true' 2>&1 | cat >left`,
		"exec in a pipe":        `(exec mcp-login env demo --ci) 2>&1 | cat >left`,
		"wrapper program":       `x=$(timeout 60 mcp-login env demo --ci 2>&1)`,
		"captured by a program": `python3 -c 'import subprocess; subprocess.run(["mcp-login", "env", "demo", "--ci"], capture_output=True)'`,
		"captured shell":        `python3 -c 'import subprocess; subprocess.run("mcp-login env demo --ci; true", shell=True, capture_output=True)'`,
	} {
		for _, shell := range stepShells {
			t.Run(name+"/"+shell, func(t *testing.T) {
				t.Parallel()
				s := j.runStep(t, shell, script)
				if s.exported != "" || s.masked() {
					t.Errorf("exported %q, masked %t\nstandard output: %s\nstandard error: %s", s.exported, s.masked(), s.out, s.err)
				}
				if where := s.leaks(); where != "" || strings.Contains(s.left, storedToken) {
					t.Errorf("the token is in %s; file: %s", where, s.left)
				}
			})
		}
	}
}

func TestCapturedMaskIsExplained(t *testing.T) {
	j := newCIJob(t, "GITHUB_ACTIONS=true")
	s := j.runStep(t, "bash", `mcp-login env demo --ci 2>&1 | cat; exit ${PIPESTATUS[0]}`)
	for _, want := range []string{
		"mask values for GitHub Actions: standard error does not reach the runner: bash (process ",
		"\nhint: leave standard error as the step has it: mcp-login env demo --ci\nhint: mcp-login exec demo -- COMMAND\n",
	} {
		if s.code != exit.Failed || !strings.Contains(s.out, want) {
			t.Errorf("exit code %d, %s, want %q", s.code, s.out, want)
		}
	}
}

// TestVariableCommandsReachTheRunner: Azure's and TeamCity's commands are
// comments to a shell. If their output is captured they set nothing, which must not
// count as success.
func TestVariableCommandsReachTheRunner(t *testing.T) {
	for _, tt := range []struct {
		provider, flags, readable, captured string
	}{
		{"TF_BUILD=True", "", `x=$(mcp-login env demo --ci)`, `x=$(mcp-login env demo --ci 2>&1)`},
		{"TEAMCITY_VERSION=2026.1", " --allow-unmasked", `mcp-login env demo --ci --allow-unmasked 2>/dev/null`, `x=$(mcp-login env demo --ci --allow-unmasked)`},
	} {
		j := newCIJob(t, tt.provider)
		if s := j.runStep(t, "bash -e", tt.readable); s.code != exit.Done || !strings.Contains(s.out+s.err, "MCP_DEMO_TOKEN") {
			t.Errorf("%s: exit code %d, %s%s", tt.readable, s.code, s.out, s.err)
		}
		if s := j.runStep(t, "bash -e", tt.captured); s.code != exit.Failed || strings.Contains(s.out+s.err, storedToken) {
			t.Errorf("%s: exit code %d, %s%s", tt.captured, s.code, s.out, s.err)
		}
	}
}
