// Package shelleval is for the output of env that a shell evaluates: its format, how to
// make eval "$(mcp-login env NAME)" fail if the command fails, and which variables an
// earlier eval has set. It must not know where a token comes from, nor print anything.
package shelleval

import (
	"cmp"
	"runtime"
	"slices"

	"github.com/mcp-login/mcp-login/ci"
	"github.com/mcp-login/mcp-login/envexport"
	"github.com/mcp-login/mcp-login/internal/commandline"
	"github.com/mcp-login/mcp-login/internal/exit"
	"github.com/mcp-login/mcp-login/internal/invocation"
	"github.com/mcp-login/mcp-login/internal/subprocess"
	"github.com/mcp-login/mcp-login/internal/suggest"
	"github.com/mcp-login/mcp-login/internal/variables"
)

// auto is the value of --format that stands for the shell that runs this program.
const auto = "auto"

// FormatNames returns the values of --format, without auto.
func FormatNames() (names []string) {
	for _, f := range envexport.Formats() {
		names = append(names, string(f))
	}
	return names
}

// Format returns the format that --format names, and why, if it was detected.
func Format(name string, getenv func(string) string) (f envexport.Format, why string, err error) {
	if name == auto {
		f, why = Detect(getenv)
		return f, why, nil
	}
	f, err = envexport.ParseFormat(name)
	if err != nil {
		return "", "", exit.Unknown("--format", name, append(FormatNames(), auto))
	}
	return f, "", nil
}

// Detect returns the format of the shell that runs this program, and why.
func Detect(getenv func(string) string) (f envexport.Format, why string) {
	return envexport.Detect(runtime.GOOS, subprocess.Parent(), getenv)
}

// Evaluated returns the format in which a shell evaluates the output of a run of env,
// and false if no shell does. If --format is misspelled, it is that of the parent
// process.
func Evaluated(run invocation.Invocation) (envexport.Format, bool) {
	if job := ci.Detect(run.Getenv); run.Setting("ci") == "true" && job != ci.None && !job.PrintsShell() {
		return "", false
	}
	name := run.Setting("format")
	f, err := envexport.ParseFormat(name)
	if name == "" {
		f = envexport.Sh
	} else if err != nil {
		f, _ = Detect(run.Getenv)
	}
	return f, envexport.Failure(f, 1) != ""
}

// Unset returns the command that unsets the variables that an earlier eval has set for
// profiles that cannot be used; "": none are set.
func Unset(run invocation.Invocation, f envexport.Format, profiles []string) string {
	typed, _ := run.Line.Value("prefix")
	set := slices.DeleteFunc(slices.Clone(profiles), func(profile string) bool {
		return len(Set(run.Getenv, cmp.Or(typed, envexport.Prefix(profile)))) == 0
	})
	if len(set) == 0 {
		return ""
	}
	var naming []commandline.Flag
	for _, name := range []string{"prefix", "only", "var"} {
		if flag, found := run.Line.Find(name); found {
			naming = append(naming, flag)
		}
	}
	return suggest.EvalIn(string(f), suggest.MCPLogin("env").With(set...).With(run.Line.Repeated(naming)...).With("--unset"))
}

// Set returns the suffixes of the variables with a prefix that are set.
func Set(getenv func(string) string, prefix string) []string {
	return slices.DeleteFunc(variables.Suffixes(), func(suffix string) bool { return getenv(prefix+"_"+suffix) == "" })
}
