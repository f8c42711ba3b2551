package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// execName is the command whose arguments end with another program's.
const execName = "exec"

// Exit codes of POSIX 2.8.2 for a program that could not be started.
const (
	exitNotExecutable = 126
	exitNotFound      = 127
)

type execOptions struct {
	access
	variables
}

func newExec(e *env) *cli.Command {
	var o execOptions
	return e.command(&cli.Command{
		Name: execName, Usage: "run a program with the variables of env",
		ArgsUsage: "NAME CMD...", UsageText: "mcp-login exec notion -- ./agent --verbose",
		Description: "The program takes this process's place: its exit code and signals are its own. The variables are as they were at its start.",
		Flags:       slices.Concat(o.variables.flags(), o.access.flags()),
	}, &o.common, func(ctx context.Context, args []string) error { return runExec(ctx, e, o, args) })
}

func runExec(ctx context.Context, e *env, o execOptions, args []string) error {
	profile, argv := args[0], args[1:]
	path, err := exec.LookPath(argv[0])
	if err != nil {
		return notStarted(argv[0], err)
	}
	vars, err := e.vars(ctx, &o.access, o.variables, []string{profile})
	if err != nil {
		return err
	}
	environ := os.Environ()
	for _, v := range vars {
		environ = slices.DeleteFunc(environ, func(s string) bool { return strings.HasPrefix(s, v.Name+"=") })
		environ = append(environ, v.Name+"="+v.Value)
	}
	return notStarted(argv[0], become(path, argv, environ))
}

// notStarted gives the shells' exit codes to a program that did not start.
func notStarted(program string, err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*codeError](err); ok {
		return err
	}
	code := exitNotExecutable
	if errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist) {
		code = exitNotFound
	}
	return &codeError{code: code, text: fmt.Sprintf("run %s: %v", program, errors.Unwrap(err))}
}
