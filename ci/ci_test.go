package ci_test

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mcp-login/mcp-login/ci"
	"github.com/mcp-login/mcp-login/envexport"
)

// call is one run of a provider's command.
type call struct{ argv, stdin string }

// fakeJob is a CI job with its effects: its output, its files, its calls.
type fakeJob struct {
	ci.Job
	out   strings.Builder // standard output
	log   strings.Builder // standard error
	calls []call
}

// newFakeJob creates a job of a provider whose file variables name files in a
// temporary folder. More variables can be added as NAME=VALUE.
func newFakeJob(t *testing.T, p ci.Provider, more ...string) *fakeJob {
	t.Helper()
	dir := t.TempDir()
	vars := map[string]string{"AGENT_TEMPDIRECTORY": dir}
	for _, name := range []string{"GITHUB_ENV", "GITHUB_STEP_SUMMARY", "BASH_ENV", "BITBUCKET_PIPELINES_VARIABLES_PATH"} {
		vars[name] = filepath.Join(dir, name)
	}
	for _, v := range more {
		name, value, _ := strings.Cut(v, "=")
		vars[name] = value
	}
	w := new(fakeJob)
	w.Job = ci.Job{Provider: p, Getenv: func(name string) string { return vars[name] }, Out: &w.out, Err: &w.log}
	w.Run = func(_ context.Context, stdin string, argv ...string) (string, error) {
		w.calls = append(w.calls, call{strings.Join(argv, " "), stdin})
		if slices.Contains(argv, "env") {
			return answerEnvSet(stdin)
		}
		return "", nil
	}
	return w
}

// answerEnvSet is the output of Buildkite's agent after it has set new variables.
func answerEnvSet(stdin string) (string, error) {
	vars := map[string]string{}
	for line := range strings.Lines(stdin) {
		if err := json.Unmarshal([]byte(line), &vars); err != nil {
			return "", err
		}
	}
	out, err := json.Marshal(map[string][]string{"added": slices.Sorted(maps.Keys(vars)), "updated": {}})
	return string(out), err
}

// output returns the output on both streams: the runner may read either.
func (w *fakeJob) output() string { return w.log.String() + w.out.String() }

func (w *fakeJob) file(t *testing.T, variable string) string {
	t.Helper()
	data, err := os.ReadFile(w.Getenv(variable))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	return string(data)
}

func secret(name, value string) ci.Var {
	return ci.Var{Var: envexport.Var{Name: name, Value: value}, Secret: true}
}

func plain(name, value string) ci.Var {
	return ci.Var{Var: envexport.Var{Name: name, Value: value}}
}

func TestDetect(t *testing.T) {
	for _, tt := range []struct {
		env  string
		want ci.Provider
	}{
		{"", ci.None},
		{"CI=false", ci.None},
		{"CI=0", ci.None},
		{"CI=no", ci.None},
		{"CODEBUILD_BUILD_ID=box:1", ci.Generic},
		{"CI=true", ci.Generic},
		{"CONTINUOUS_INTEGRATION=true", ci.Generic},
		{"CI=true GITHUB_ACTIONS=true", ci.GitHub},
		{"CI=true GITHUB_ACTIONS=true GITEA_ACTIONS=true", ci.Gitea},
		{"CI=true GITHUB_ACTIONS=true FORGEJO_ACTIONS=true", ci.Gitea},
		{"CI=true GITLAB_CI=true", ci.GitLab},
		{"TF_BUILD=True", ci.Azure},
		{"CI=true CIRCLECI=true", ci.CircleCI},
		{"CI=true BUILDKITE=true", ci.Buildkite},
		{"JENKINS_URL=http://j BUILD_ID=1", ci.Jenkins},
		{"JENKINS_URL=http://j", ci.None},
		{"CI=true BITBUCKET_BUILD_NUMBER=7", ci.Bitbucket},
		{"BITBUCKET_COMMIT=abc", ci.Bitbucket},
		{"TEAMCITY_VERSION=2026.1", ci.TeamCity},
		{"CI=true TRAVIS=true", ci.Travis},
		{"CI=woodpecker DRONE=true", ci.Woodpecker},
		{"CI=true CI_SYSTEM_NAME=woodpecker", ci.Woodpecker},
		{"CI=true DRONE=true", ci.Drone},
	} {
		vars := map[string]string{}
		for _, v := range strings.Fields(tt.env) {
			name, value, _ := strings.Cut(v, "=")
			vars[name] = value
		}
		if got := ci.Detect(func(name string) string { return vars[name] }); got != tt.want {
			t.Errorf("Detect(%q) = %q, want %q", tt.env, got, tt.want)
		}
	}
}

func TestMask(t *testing.T) {
	for _, tt := range []struct {
		provider ci.Provider
		want     string // on standard error
		stdin    string // of the single call, if any
	}{
		{ci.GitHub, "::add-mask::a%25:b\n::add-mask::second\n", ""},
		{ci.Gitea, "::add-mask::a%25:b\n::add-mask::second\n::add-mask::a%:b\n", ""},
		{ci.Azure, "##vso[task.setsecret]a%AZP25:b\n##vso[task.setsecret]second\n", ""},
		{ci.Buildkite, "", `{"0":"a%:b","1":"second"}`},
	} {
		t.Run(string(tt.provider), func(t *testing.T) {
			w := newFakeJob(t, tt.provider)
			if err := w.Mask(t.Context(), "a%:b\r\nsecond", "second", ""); err != nil {
				t.Fatal(err)
			}
			if got := w.log.String(); got != tt.want || w.out.Len() > 0 {
				t.Errorf("standard error = %q, want %q; standard output = %q, want none", got, tt.want, w.out.String())
			}
			if tt.stdin == "" {
				return
			}
			want := call{"buildkite-agent redactor add --format json", tt.stdin}
			if len(w.calls) != 1 || w.calls[0] != want {
				t.Errorf("calls = %q, want %q", w.calls, want)
			}
		})
	}
}

var cannotMask = []ci.Provider{
	ci.GitLab, ci.CircleCI, ci.Jenkins, ci.Bitbucket, ci.TeamCity, ci.Travis, ci.Woodpecker, ci.Drone, ci.Generic,
}

func TestProvidersThatCannotMaskRejectSecrets(t *testing.T) {
	for _, p := range cannotMask {
		t.Run(string(p), func(t *testing.T) {
			w := newFakeJob(t, p)
			err := w.Export(t.Context(), []ci.Var{plain("URL", "u"), secret("TOKEN", "hush")})
			unmasked, ok := errors.AsType[*ci.UnmaskedError](err)
			if !ok || unmasked.Provider != p || p.CanMask() {
				t.Fatalf("Export = %v, want an UnmaskedError of %v", err, p)
			}
			if !strings.Contains(err.Error(), "exec") || !strings.Contains(err.Error(), "only this user can read") {
				t.Errorf("error %q suggests no alternative", err)
			}
			if got := w.output() + w.file(t, "BASH_ENV") + w.file(t, "BITBUCKET_PIPELINES_VARIABLES_PATH"); got != "" {
				t.Errorf("wrote %q anyway", got)
			}
		})
	}
}

func TestExport(t *testing.T) {
	vars := []ci.Var{secret("MCP_A_TOKEN", "it's%"), plain("MCP_A_URL", "https://a.example/mcp")}
	shell := "export MCP_A_TOKEN='it'\\''s%'\nexport MCP_A_URL='https://a.example/mcp'\n"
	for _, tt := range []struct {
		provider ci.Provider
		log, out string
		file     string // the variable with the path of the file
		content  string
	}{
		{ci.Azure, "##vso[task.setsecret]it's%AZP25\n" +
			"##vso[task.setvariable variable=MCP_A_TOKEN;issecret=true]it's%AZP25\n" +
			"##vso[task.setvariable variable=MCP_A_URL;issecret=false]https://a.example/mcp\n", "", "", ""},
		{ci.CircleCI, "", "", "BASH_ENV", shell},
		{ci.Bitbucket, "", "", "BITBUCKET_PIPELINES_VARIABLES_PATH", "MCP_A_TOKEN=it's%\nMCP_A_URL=https://a.example/mcp\n"},
		{ci.TeamCity, "", "##teamcity[setParameter name='env.MCP_A_TOKEN' value='it|'s%']\n" +
			"##teamcity[setParameter name='env.MCP_A_URL' value='https://a.example/mcp']\n", "", ""},
		{ci.GitLab, "", shell, "", ""},
		{ci.Jenkins, "", shell, "", ""},
		{ci.Travis, "", shell, "", ""},
		{ci.Woodpecker, "", shell, "", ""},
		{ci.Drone, "", shell, "", ""},
		{ci.Generic, "", shell, "", ""},
	} {
		t.Run(string(tt.provider), func(t *testing.T) {
			w := newFakeJob(t, tt.provider)
			w.AllowUnmasked = true
			if err := w.Export(t.Context(), vars); err != nil {
				t.Fatal(err)
			}
			if w.log.String() != tt.log || w.out.String() != tt.out {
				t.Errorf("standard error = %q, want %q; standard output = %q, want %q", w.log.String(), tt.log, w.out.String(), tt.out)
			}
			if got := w.file(t, tt.file); tt.file != "" && got != tt.content {
				t.Errorf("%s = %q, want %q", tt.file, got, tt.content)
			}
		})
	}
}

func TestBuildkiteMasksThenExports(t *testing.T) {
	w := newFakeJob(t, ci.Buildkite)
	if err := w.Export(t.Context(), []ci.Var{secret("A", "Bearer one\ntwo"), plain("B", "<b>")}); err != nil {
		t.Fatal(err)
	}
	want := []call{
		{"buildkite-agent redactor add --format json", `{"0":"Bearer one","1":"two","2":"one"}`},
		{"buildkite-agent env set --input-format=json --output-format=json -", `{"A":"Bearer one\ntwo"}` + "\n" + `{"B":"<b>"}` + "\n"},
	}
	if len(w.calls) != 2 || w.calls[0] != want[0] || w.calls[1] != want[1] {
		t.Errorf("calls = %q, want %q", w.calls, want)
	}
}

// TestBuildkiteRejectionIsAnError: the agent logs that the job rejected the
// variables, and exits with 0.
func TestBuildkiteRejectionIsAnError(t *testing.T) {
	for _, response := range []string{"null\n", "", `{"added":["B"],"updated":[]}`} {
		w := newFakeJob(t, ci.Buildkite)
		w.Run = func(context.Context, string, ...string) (string, error) { return response, nil }
		if err := w.Export(t.Context(), []ci.Var{plain("A", "x"), plain("B", "y")}); err == nil {
			t.Errorf("Export = nil for the agent's output %q", response)
		}
	}
	w := newFakeJob(t, ci.Buildkite)
	w.Run = func(context.Context, string, ...string) (string, error) {
		return `{"added":["B"],"updated":["A"]}`, nil
	}
	if err := w.Export(t.Context(), []ci.Var{plain("A", "x"), plain("B", "y")}); err != nil {
		t.Error(err)
	}
}

func TestNothingIsExportedIfMaskingFails(t *testing.T) {
	w := newFakeJob(t, ci.Buildkite)
	w.AllowUnmasked = true
	failed := errors.New("no socket")
	runs := 0
	w.Run = func(context.Context, string, ...string) (string, error) { runs++; return "", failed }
	if err := w.Export(t.Context(), []ci.Var{secret("A", "x")}); !errors.Is(err, failed) || runs != 1 {
		t.Errorf("Export = %v after %d runs, want %v after 1", err, runs, failed)
	}
}

func TestReservedNamesAndValues(t *testing.T) {
	for _, tt := range []struct {
		provider ci.Provider
		v        ci.Var
	}{
		{ci.GitHub, plain("NODE_OPTIONS", "--require=x")},
		{ci.GitHub, plain("GITHUB_TOKEN", "x")},
		{ci.GitHub, plain("github_path", "x")},
		{ci.GitHub, plain("RUNNER_TEMP", "x")},
		{ci.GitHub, plain("PATH", "x")},
		{ci.GitHub, plain("Path", "x")},
		{ci.GitHub, plain("LD_PRELOAD", "x")},
		{ci.GitHub, plain("A\nB", "x")},
		{ci.GitHub, plain("", "x")},
		{ci.GitHub, plain("A", "x\x00y")},
		{ci.GitHub, plain("A", "\xff")},
		{ci.Gitea, plain("GITEA_TOKEN", "x")},
		{ci.Azure, plain("SECRET_A", "x")},
		{ci.Azure, plain("SYSTEM_ACCESSTOKEN", "x")},
		{ci.Buildkite, plain("BUILDKITE_COMMIT", "x")},
		{ci.CircleCI, plain("BASH_ENV", "x")},
		{ci.Bitbucket, plain("A", "one\ntwo")},
		{ci.TeamCity, plain("A", "https://a.example/%7Eb%2Fc")},
	} {
		w := newFakeJob(t, tt.provider)
		if err := w.Export(t.Context(), []ci.Var{plain("FINE", "1"), tt.v}); !errors.Is(err, ci.ErrVariable) {
			t.Errorf("%v: Export(%q=%q) = %v, want ErrVariable", tt.provider, tt.v.Name, tt.v.Value, err)
		}
		if got := w.output() + w.file(t, "GITHUB_ENV"); got != "" || len(w.calls) != 0 {
			t.Errorf("%v: wrote %q and ran %q anyway", tt.provider, got, w.calls)
		}
	}
}

func TestFilesAreAppendedAndNeverFollowed(t *testing.T) {
	w := newFakeJob(t, ci.GitHub)
	path := w.Getenv("GITHUB_ENV")
	if err := os.WriteFile(path, []byte("OTHER=1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := w.Export(t.Context(), []ci.Var{plain("A", "x")}); err != nil {
		t.Fatal(err)
	}
	if got := w.file(t, "GITHUB_ENV"); !strings.HasPrefix(got, "OTHER=1\nA<<") {
		t.Errorf("GITHUB_ENV = %q, want the old text first", got)
	}
	if err := errors.Join(os.Rename(path, path+".real"), os.Symlink(path+".real", path)); err != nil {
		t.Fatal(err)
	}
	if err := w.Export(t.Context(), []ci.Var{plain("B", "y")}); err == nil {
		t.Error("Export wrote through a symbolic link")
	}
	if err := newFakeJob(t, ci.GitHub, "GITHUB_ENV=").Export(t.Context(), []ci.Var{plain("B", "y")}); !errors.Is(err, ci.ErrUnsupported) {
		t.Errorf("Export without GITHUB_ENV = %v, want ErrUnsupported", err)
	}
}

// TestAppendBeginsALine: a script's `printf A=1 >>"$GITHUB_ENV"` leaves an
// incomplete line, which must not merge with the next one.
func TestAppendBeginsALine(t *testing.T) {
	for _, tt := range []struct {
		provider ci.Provider
		variable string
		first    string // the text that is appended
	}{
		{ci.GitHub, "GITHUB_ENV", "A<<"},
		{ci.Gitea, "GITHUB_ENV", "A<<"},
		{ci.CircleCI, "BASH_ENV", "export A="},
		{ci.Bitbucket, "BITBUCKET_PIPELINES_VARIABLES_PATH", "A="},
		{ci.GitHub, "GITHUB_STEP_SUMMARY", "**T**"},
	} {
		for before, want := range map[string]string{"": "", "B=1": "B=1\n", "B=1\n": "B=1\n", "B=1\n\n": "B=1\n\n"} {
			w := newFakeJob(t, tt.provider)
			if err := os.WriteFile(w.Getenv(tt.variable), []byte(before), 0o600); err != nil {
				t.Fatal(err)
			}
			err := w.Export(t.Context(), []ci.Var{plain("A", "x")})
			if tt.variable == "GITHUB_STEP_SUMMARY" {
				err = w.Summary(t.Context(), ci.Note{Title: "T"})
			}
			if got := w.file(t, tt.variable); err != nil || !strings.HasPrefix(got, want+tt.first) {
				t.Errorf("%v: after %q $%s is %q, %v, want %q first", tt.provider, before, tt.variable, got, err, want+tt.first)
			}
		}
	}
}

// TestNothingIsPrintedIfExportFails: a value that cannot be exported is not masked
// either.
func TestNothingIsPrintedIfExportFails(t *testing.T) {
	folder := t.TempDir()
	for _, tt := range []struct {
		provider ci.Provider
		env      string
		v        ci.Var
	}{
		{ci.GitHub, "GITHUB_ENV=", secret("A", "x")},
		{ci.GitHub, "GITHUB_ENV=" + folder + "/none/env", secret("A", "x")},
		{ci.GitHub, "GITHUB_ENV=" + folder, secret("A", "x")},
		{ci.Gitea, "GITHUB_ENV=", secret("A", "x")},
		{ci.CircleCI, "BASH_ENV=", secret("A", "x")},
		{ci.CircleCI, "BASH_ENV=" + folder + "/none/env", secret("A", "x")},
		{ci.Bitbucket, "BITBUCKET_PIPELINES_VARIABLES_PATH=" + folder + "/none/env", secret("A", "x")},
		{ci.Azure, "", secret("A", "one\ntwo")},
	} {
		w := newFakeJob(t, tt.provider, tt.env)
		w.AllowUnmasked = true
		if err := w.Export(t.Context(), []ci.Var{plain("FINE", "1"), tt.v}); err == nil || w.output() != "" {
			t.Errorf("%v with %s: Export = %v, output %q, want an error and no output", tt.provider, tt.env, err, w.output())
		}
	}
}
