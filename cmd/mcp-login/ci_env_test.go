package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mcp-login/mcp-login/internal/cistep"
	"github.com/mcp-login/mcp-login/internal/exit"
)

// hints returns the hint lines.
func (j *ciJob) hints() string {
	var hints strings.Builder
	for line := range strings.Lines(j.err.String()) {
		if hint, ok := strings.CutPrefix(line, "hint: "); ok {
			hints.WriteString(hint)
		}
	}
	return hints.String()
}

func TestEnvCIErrorSuggestsCommands(t *testing.T) {
	t.Setenv("PATH", t.TempDir()) // Buildkite's agent is not installed
	const (
		exec = "mcp-login exec demo -- COMMAND\n"
		file = "or write a file that only you can read: (umask 077; mcp-login env demo > FILE)\n"
		show = "or let the log show the token: "
	)
	for _, tt := range []struct {
		name, env string
		args      []string
		want      string
	}{
		{"later steps", "CIRCLECI=true", []string{"env", "demo", "--ci"}, exec + file + show + "mcp-login env demo --ci --allow-unmasked\n"},
		{"only this step", "GITLAB_CI=true", []string{"env", "demo", "--ci"}, exec + file + show + `eval "$(mcp-login env demo --ci --allow-unmasked)"` + "\n"},
		{
			"with flags", "GITLAB_CI=true", []string{"env", "--ci=true", "--keeper", "key-file", "--var=TOKEN=A", "--", "demo"},
			"mcp-login exec demo --keeper key-file -- COMMAND\n" +
				"or write a file that only you can read: (umask 077; mcp-login env --keeper key-file --var=TOKEN=A -- demo > FILE)\n" +
				show + `eval "$(mcp-login env --ci --allow-unmasked --keeper key-file --var=TOKEN=A -- demo)"` + "\n",
		},
		{"no agent", "BUILDKITE=true", []string{"env", "demo", "--ci"}, exec + file},
		{"no agent, unmasked", "BUILDKITE=true", []string{"env", "demo", "--ci", "--allow-unmasked"}, exec + file},
	} {
		t.Run(tt.name, func(t *testing.T) {
			j := newCIJob(t, tt.env)
			evaluated := ""
			if tt.env == "GITLAB_CI=true" {
				evaluated = failure(tt.args, exit.Failed)
			}
			if code := j.run(t, tt.args...); code != exit.Failed || j.out.String() != evaluated {
				t.Errorf("exit code %d, standard output %q", code, j.out.String())
			}
			if got := j.hints(); got != tt.want {
				t.Errorf("hints:\n%swant:\n%s", got, tt.want)
			}
		})
	}
}

// TestEnvCIErrorForSeveralProfiles: one command gets the variables of all
// profiles, because a nested mcp-login would not have the store's passphrase.
func TestEnvCIErrorForSeveralProfiles(t *testing.T) {
	_, got := newCIJob(t).env().Remedy().For(&cistep.NotExportedError{Err: errors.New("no"), Profiles: []string{"a", "b c", "d"}})
	if first, _, _ := strings.Cut(got, "\n"); first != "mcp-login exec a --also 'b c' --also d -- COMMAND" {
		t.Errorf("hint %q", first)
	}
}

// TestEnvCIWithoutVariableFile: the output is for eval, so it must not
// contain a command meant for the log.
func TestEnvCIWithoutVariableFile(t *testing.T) {
	none := filepath.Join(t.TempDir(), "none", "env")
	for _, tt := range []struct{ ci, file string }{
		{"GITHUB_ACTIONS=true", "GITHUB_ENV="},
		{"GITHUB_ACTIONS=true", "GITHUB_ENV=" + none},
		{"CIRCLECI=true", "BASH_ENV="},
		{"CIRCLECI=true", "BASH_ENV=" + none},
		{"BITBUCKET_COMMIT=abc", "BITBUCKET_PIPELINES_VARIABLES_PATH=" + none},
	} {
		j := newCIJob(t, tt.ci, tt.file)
		if code := j.run(t, "env", "demo", "--ci", "--allow-unmasked"); code != exit.Failed || j.out.Len() > 0 || !strings.Contains(j.hints(), "mcp-login exec demo") {
			t.Errorf("%s with %s: exit code %d, standard output %q, standard error %q", tt.ci, tt.file, code, j.out.String(), j.err.String())
		}
	}
}

func TestEnvCISaysThatOutputIsForEval(t *testing.T) {
	for _, env := range []string{"GITLAB_CI=true", "BUILD_ID=1", "TRAVIS=true", "CI=woodpecker", "DRONE=true", "CI=true"} {
		j := newCIJob(t, env, "JENKINS_URL=http://jenkins")
		if code := j.run(t, "env", "demo", "--ci", "--allow-unmasked"); code != exit.Done {
			t.Fatalf("%s: exit code %d, %s", env, code, j.err.String())
		}
		for _, want := range []string{"caution: ", "cannot export variables", "the clear token", "\nuse: eval \"$(mcp-login env demo --ci --allow-unmasked)\"\n"} {
			if !strings.Contains(j.err.String(), want) {
				t.Errorf("%s: standard error %q, want %q", env, j.err.String(), want)
			}
		}
	}
	j := newCIJob(t, "GITLAB_CI=true")
	j.run(t, "env", "demo", "--ci", "--only", "URL")
	if got := j.err.String(); !strings.Contains(got, "use: eval \"$(mcp-login env demo --ci --only URL)\"\n") || strings.Contains(got, "token") {
		t.Errorf("without a secret: standard error %q", got)
	}
	if j.run(t, "env", "--help"); !strings.Contains(strings.Join(strings.Fields(j.out.String()), " "), `eval "$(mcp-login env NAME --ci --allow-unmasked)"`) {
		t.Errorf("--help: %s", j.out.String())
	}
}

func TestEnvCIOnAzureSaysWhatToMap(t *testing.T) {
	j := newCIJob(t, "TF_BUILD=True")
	if code := j.run(t, "env", "demo", "--ci"); code != exit.Done {
		t.Fatalf("exit code %d, %s", code, j.err.String())
	}
	want := "env: {MCP_DEMO_AUTHORIZATION: $(MCP_DEMO_AUTHORIZATION), MCP_DEMO_TOKEN: $(MCP_DEMO_TOKEN)}\n"
	if !strings.HasSuffix(j.err.String(), want) {
		t.Errorf("standard error %q, want %q", j.err.String(), want)
	}
	j.run(t, "env", "demo", "--ci", "--only", "URL")
	if want := "##vso[task.setvariable variable=MCP_DEMO_URL;issecret=false]" + storedURL + "\n"; j.err.String() != want {
		t.Errorf("without a secret: standard error %q, want %q", j.err.String(), want)
	}
}

func TestEnvCIIsSilentOnSuccess(t *testing.T) {
	j := newCIJob(t, "CIRCLECI=true", "BASH_ENV="+filepath.Join(t.TempDir(), "env"))
	if code := j.run(t, "env", "demo", "--ci", "--allow-unmasked"); code != exit.Done || j.err.Len() > 0 || j.out.Len() > 0 {
		t.Errorf("exit code %d, standard output %q, standard error %q", code, j.out.String(), j.err.String())
	}
	if _, err := os.Stat(j.vars["BASH_ENV"]); err != nil {
		t.Error(err)
	}
}
