package main

import (
	"cmp"
	"runtime"
	"slices"

	"github.com/mcp-login/mcp-login/ci"
	"github.com/mcp-login/mcp-login/envexport"
	"github.com/mcp-login/mcp-login/internal/subprocess"
	"github.com/mcp-login/mcp-login/internal/suggest"
	"github.com/mcp-login/mcp-login/internal/variables"
)

const envName = "env"

// failEval makes eval "$(mcp-login env NAME)" fail as this command did. It
// also says what unsets the variables of an earlier eval.
func failEval(e *call, code int) {
	f, ok := evaluatedAs(e)
	if !ok {
		return
	}
	stillSet(e, f, e.Line.Args)
	if !e.streams().OutIsTerminal() {
		_ = e.answerData([]byte(envexport.Failure(f, code))) // best effort: the exit code says it too
	}
}

// evaluatedAs returns the format in which a shell evaluates this command's
// output, and false if no shell does. If --format is misspelled, it is that of
// the parent process.
func evaluatedAs(e *call) (envexport.Format, bool) {
	if provider := ci.Detect(e.getenv); e.Setting("ci") == "true" && provider != ci.None && !provider.PrintsShell() {
		return "", false
	}
	name := e.Setting("format")
	f, err := envexport.ParseFormat(name)
	if name == "" {
		f = envexport.Sh
	} else if err != nil {
		f, _ = envexport.Detect(runtime.GOOS, subprocess.Parent(), e.getenv)
	}
	return f, envexport.Failure(f, 1) != ""
}

// stillSet says how to unset the variables of profiles that cannot be used, where
// an earlier eval has set them.
func stillSet(e *call, f envexport.Format, profiles []string) {
	prefix, _ := e.Line.Value("prefix")
	set := slices.DeleteFunc(slices.Clone(profiles), func(profile string) bool {
		prefix := cmp.Or(prefix, envexport.Prefix(profile))
		return !slices.ContainsFunc(variables.Suffixes(), func(s string) bool { return e.getenv(prefix+"_"+s) != "" })
	})
	if len(set) == 0 {
		return
	}
	unset := suggest.MCPLogin(envName).With(set...).With(e.Line.Repeated(describeFlags(new(variableOptions).flags()))...).With("--unset")
	e.say("old variables are still set. To unset them: %s", suggest.EvalIn(string(f), unset))
}
