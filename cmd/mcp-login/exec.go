package main

import (
	"context"
	"errors"
	"os"

	"github.com/urfave/cli/v2"

	"github.com/mcp-login/mcp-login/internal/commandline"
	"github.com/mcp-login/mcp-login/internal/exit"
	"github.com/mcp-login/mcp-login/internal/invocation"
	"github.com/mcp-login/mcp-login/internal/subprocess"
	"github.com/mcp-login/mcp-login/internal/variables"
)

const execName = "exec"

type execOptions struct {
	variableOptions
	also list
}

func newExec(e *call) *cli.Command {
	var o execOptions
	return e.command(&cli.Command{
		Name: execName, Usage: "Run a program with a credential in its environment",
		ArgsUsage: "NAME " + commandline.Program, UsageText: "mcp-login exec notion -- ./agent --verbose",
		Description: "The program replaces this process, with its own exit code and signals. Its variables do not change after it starts." +
			"\n\nEverything after NAME is its command line, passed unchanged. " +
			"The program ignores SIGHUP and SIGINT if mcp-login does, and SIGPIPE if systemd started mcp-login. To ignore others, put `env --ignore-signal=TERM` before the program. " +
			"mcp-login removes its own secret variables, such as MCP_LOGIN_PASSPHRASE, from the program's environment.",
		Flags: append([]cli.Flag{
			listFlag(invocation.AlsoFlag, "Also pass the variables of `NAME` (repeatable)", &o.also),
		}, o.variableOptions.flags()...),
	}, &o.common, func(ctx context.Context, args []string) error { return runExec(ctx, e, o, args) })
}

func runExec(ctx context.Context, e *call, o execOptions, args []string) error {
	profiles, argv := append(args[:1:1], o.also...), args[1:]
	path, err := subprocess.Find(argv[0])
	if err != nil {
		return notStarted(err)
	}
	vars, err := o.vars(ctx, e.open(&o.common), profiles)
	if err != nil {
		return err
	}
	environ, err := variables.Into(os.Environ(), vars)
	if err != nil {
		return err
	}
	return notStarted(subprocess.Start(path, argv, environ))
}

// notStarted returns the exit code of shells for a program that did not start.
func notStarted(err error) error {
	if ended, ok := errors.AsType[*subprocess.ExitError](err); ok {
		return &exit.Error{Code: ended.Code}
	}
	failed, ok := errors.AsType[*subprocess.StartError](err)
	if !ok {
		return err
	}
	code := exit.NotExecutable
	if failed.Missing {
		code = exit.NotFound
	}
	return &exit.Error{Code: code, Text: failed.Error(), Hint: failed.Hint}
}
