package main

import (
	"bytes"
	"context"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/mcp-login/mcp-login/ci"
	"github.com/mcp-login/mcp-login/envexport"
	"github.com/mcp-login/mcp-login/internal/access"
	"github.com/mcp-login/mcp-login/internal/cistep"
	"github.com/mcp-login/mcp-login/internal/exit"
	"github.com/mcp-login/mcp-login/internal/shelleval"
	"github.com/mcp-login/mcp-login/internal/suggest"
	"github.com/mcp-login/mcp-login/internal/variables"
)

const envName = "env"

// variableOptions are the options for the names of exported variables.
type variableOptions struct {
	tokenOptions
	variables.Naming
}

func (o *variableOptions) flags() []cli.Flag {
	return append([]cli.Flag{
		stringFlag("prefix", "`PREFIX` of the names (default: MCP_ and the profile's name)", "", &o.Prefix),
		stringFlag("only", "Only the variables in `LIST`, such as TOKEN,URL. All are "+strings.Join(variables.Suffixes(), ", "), "", &o.Only),
		stringFlag("var", "Rename variables by `LIST`, such as TOKEN=A,URL=B", "", &o.Rename),
	}, o.tokenOptions.flags()...)
}

// vars returns the variables of all profiles.
func (o *variableOptions) vars(ctx context.Context, opener access.Opener, profiles []string) ([]envexport.Var, error) {
	return opener.Variables(ctx, o.agentSock, o.Naming, profiles, o.login)
}

type envOptions struct {
	variableOptions
	format                   string
	unset, ci, allowUnmasked bool
}

func newEnv(e *call) *cli.Command {
	var o envOptions
	return e.command(&cli.Command{
		Name: envName, Usage: "Print a credential as environment variables",
		ArgsUsage: "NAME...", UsageText: suggest.Eval(suggest.MCPLogin("env", "notion")),
		Description: "If a CI system cannot export variables to later steps, evaluate the output: " + `eval "$(mcp-login env NAME --ci --allow-unmasked)"` +
			"\n\nThese CI systems are GitLab, Jenkins, Travis, Woodpecker, Drone, and unknown systems. There, --ci prints shell text for the same step. " +
			"Unless you evaluate it, the token ends up in the log and nothing is set.\n\n" +
			"If env fails, evaluating its output fails too, with the same exit code.",
		Flags: append([]cli.Flag{
			stringFlag("format", "Output `FORMAT`, such as fish, json or auto. The formats are "+strings.Join(shelleval.FormatNames(), ", ")+", the name of a shell, and auto to detect the shell", string(envexport.Sh), &o.format),
			boolFlag("unset", "Print commands that unset the variables", &o.unset),
			boolFlag("ci", "In CI: mask the secrets and set variables for later steps. The log of this job then shows no secret", &o.ci),
			boolFlag("allow-unmasked", "With --ci: accept a provider that cannot mask. The log may then show the token", &o.allowUnmasked),
		}, o.variableOptions.flags()...),
	}, &o.common, func(ctx context.Context, args []string) error {
		if o.ci {
			return runEnvCI(ctx, e, &o, args)
		}
		return runEnv(ctx, e, &o, args)
	})
}

func runEnv(ctx context.Context, e *call, o *envOptions, profiles []string) error {
	format, why, err := shelleval.Format(o.format, e.getenv)
	if err != nil {
		return err
	}
	if why != "" {
		e.say("format %s: %s", format, why)
	}
	var text bytes.Buffer
	if o.unset {
		err = o.Unset(&text, format, profiles)
	} else {
		var vars []envexport.Var
		if vars, err = o.vars(ctx, e.open(&o.common), profiles); err == nil {
			err = envexport.Write(&text, format, vars)
		}
	}
	if err != nil {
		return err
	}
	return e.answerData(text.Bytes())
}

func runEnvCI(ctx context.Context, e *call, o *envOptions, profiles []string) error {
	opener := e.open(&o.common)
	job, err := opener.Job()
	if err != nil {
		return err
	}
	switch {
	case o.unset || o.format != string(envexport.Sh):
		return exit.Usagef("--ci cannot be used with --format or --unset")
	case job.Provider == ci.None:
		return exit.Usagef("--ci: no known CI system was detected")
	}
	job.AllowUnmasked = o.allowUnmasked
	vars, err := o.vars(ctx, opener, profiles)
	if err != nil {
		return err
	}
	notes, err := cistep.Export(ctx, job, vars, o.Secrets(profiles), profiles, e.Remedy().ForEval(job.AllowUnmasked))
	for _, note := range notes {
		e.say("%s", note)
	}
	return err
}

// failEval makes eval "$(mcp-login env NAME)" fail as this command did. It also
// prints the command that unsets the variables of an earlier eval.
func failEval(e *call, code int) {
	f, ok := shelleval.Evaluated(e.Invocation)
	if !ok {
		return
	}
	sayUnset(e, f, e.Line.Args)
	if !e.streams().OutIsTerminal() {
		_ = e.answerData([]byte(envexport.Failure(f, code))) // best effort: the exit code reports the failure too
	}
}

// sayUnset says how to unset the variables of an earlier eval for profiles that
// cannot be used.
func sayUnset(e *call, f envexport.Format, profiles []string) {
	if unset := shelleval.Unset(e.Invocation, f, profiles); unset != "" {
		e.say("the old variables are still set. To unset them: %s", unset)
	}
}
