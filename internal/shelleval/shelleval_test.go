package shelleval_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/mcp-login/mcp-login/envexport"
	"github.com/mcp-login/mcp-login/internal/commandline"
	"github.com/mcp-login/mcp-login/internal/invocation"
	"github.com/mcp-login/mcp-login/internal/settings"
	"github.com/mcp-login/mcp-login/internal/shelleval"
)

func environment(pairs ...string) func(string) string {
	return func(name string) string {
		for _, pair := range pairs {
			if value, found := strings.CutPrefix(pair, name+"="); found {
				return value
			}
		}
		return ""
	}
}

// run is a run of env or of another command.
func run(getenv func(string) string, words ...string) invocation.Invocation {
	flag := func(name string, isBool bool) commandline.Flag {
		return commandline.Flag{Key: settings.Key{Name: name}, Bool: isBool}
	}
	tree := commandline.Tree{Commands: []*commandline.Command{
		{Name: "env", Args: "NAME...", Flags: []commandline.Flag{flag("format", false), flag("ci", true), flag("prefix", false), flag("only", false)}},
		{Name: "logout", Args: "NAME..."},
	}}
	return invocation.Invocation{Line: tree.Interpret(words), Getenv: getenv}
}

func TestFormat(t *testing.T) {
	for name, want := range map[string]envexport.Format{"sh": envexport.Sh, "json": envexport.JSON, "fish": envexport.Fish} {
		if f, why, err := shelleval.Format(name, environment()); err != nil || f != want || why != "" {
			t.Errorf("%s: %q, %q, %v", name, f, why, err)
		}
	}
	if f, why, err := shelleval.Format("auto", environment("SHELL=/bin/sh")); err != nil || f == "" || why == "" {
		t.Errorf("auto: %q, %q, %v", f, why, err)
	}
	if _, _, err := shelleval.Format("fsh", environment()); err == nil || !strings.Contains(err.Error(), "fish") {
		t.Errorf("a misspelled format: %v", err)
	}
}

// TestEvaluated: a failure command is printed only if a shell evaluates the output.
func TestEvaluated(t *testing.T) {
	for _, tt := range []struct {
		words []string
		job   string
		want  bool
	}{
		{[]string{"env", "a"}, "", true},
		{[]string{"env", "a", "--format", "fish"}, "", true},
		{[]string{"env", "a", "--format", "json"}, "", false},
		{[]string{"env", "a", "--ci"}, "GITHUB_ACTIONS=true", false},
		{[]string{"env", "a", "--ci"}, "GITLAB_CI=true", true},
		{[]string{"env", "a", "--ci"}, "", true},
	} {
		if _, got := shelleval.Evaluated(run(environment(tt.job), tt.words...)); got != tt.want {
			t.Errorf("%q in %q: %t", tt.words, tt.job, got)
		}
	}
}

// TestUnset: only variables that are set are unset, in the shell's syntax and for
// the profiles on the command line.
func TestUnset(t *testing.T) {
	getenv := environment("MCP_A_TOKEN=x", "P_URL=y")
	for _, tt := range []struct {
		words    []string
		profiles []string
		want     string
	}{
		{[]string{"env", "a", "b"}, []string{"a", "b"}, `eval "$(mcp-login env a --unset)"`},
		{[]string{"env", "b"}, []string{"b"}, ""},
		{[]string{"env", "b", "--prefix", "P", "--format", "sh"}, []string{"b"}, `eval "$(mcp-login env b --prefix P --unset)"`},
		{[]string{"logout", "a"}, []string{"a"}, `eval "$(mcp-login env a --unset)"`},
	} {
		if got := shelleval.Unset(run(getenv, tt.words...), envexport.Sh, tt.profiles); got != tt.want {
			t.Errorf("%q: %q, want %q", tt.words, got, tt.want)
		}
	}
	if got := shelleval.Set(getenv, "MCP_A"); !slices.Equal(got, []string{"TOKEN"}) {
		t.Errorf("set: %q", got)
	}
}
