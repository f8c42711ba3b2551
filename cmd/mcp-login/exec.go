package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/mcp-login/mcp-login/internal/subprocess"
)

const (
	execName = "exec"
	alsoFlag = "also"
)

// Exit codes of POSIX 2.8.2 for a program that could not be started.
const (
	exitNotExecutable = 126
	exitNotFound      = 127
)

type execOptions struct {
	access
	variables
	also cli.StringSlice
}

func newExec(e *env) *cli.Command {
	var o execOptions
	return e.command(&cli.Command{
		Name: execName, Usage: "Run a program with the variables that env prints",
		ArgsUsage: "NAME " + programUsage, UsageText: "mcp-login exec notion -- ./agent --verbose",
		Description: "The program replaces this process, with its own exit code and signals. Its variables do not change after the start. " +
			"Its command line begins after NAME and is passed unchanged. " +
			"It ignores SIGHUP and SIGINT if this process did, and SIGPIPE if systemd started it; `env --ignore-signal=TERM` before the program sets others. " +
			"mcp-login removes its own variables that hold secrets, such as MCP_LOGIN_PASSPHRASE, from the program's environment.",
		Flags: slices.Concat([]cli.Flag{
			&cli.StringSliceFlag{Name: alsoFlag, Usage: "Also pass the variables of `NAME`; repeat it for more", Destination: &o.also},
		}, o.variables.flags(), o.access.flags()),
	}, &o.common, func(ctx context.Context, args []string) error { return runExec(ctx, e, o, args) })
}

func runExec(ctx context.Context, e *env, o execOptions, args []string) error {
	profiles, argv := append(args[:1:1], o.also.Value()...), args[1:]
	path, err := exec.LookPath(argv[0])
	if err != nil {
		return notStarted(argv[0], err)
	}
	vars, err := e.vars(ctx, &o.access, o.variables, profiles)
	if err != nil {
		return err
	}
	environ, seen := os.Environ(), map[string]bool{}
	for _, v := range vars {
		if seen[v.Name] {
			return usagef("the variable %s is set twice", v.Name)
		}
		seen[v.Name] = true
		environ = slices.DeleteFunc(environ, func(s string) bool { return strings.HasPrefix(s, v.Name+"=") })
		environ = append(environ, v.Name+"="+v.Value)
	}
	err = subprocess.Become(path, argv, environ)
	if interpreter, missing := missingInterpreter(path); missing && errors.Is(err, fs.ErrNotExist) {
		missing := &codeError{code: exitNotExecutable, text: fmt.Sprintf("run %s: its interpreter %q does not exist", argv[0], interpreter)}
		if strings.HasSuffix(interpreter, "\r") {
			missing.hint = "the script has Windows line endings: save it with Unix ones"
		}
		return missing
	}
	return notStarted(argv[0], err)
}

// maxInterpreter is the most that Linux reads of a script's first line.
const maxInterpreter = 256

// missingInterpreter returns the interpreter that a script names, if that is not
// there: the system reports then that the script itself does not exist.
func missingInterpreter(path string) (string, bool) {
	f, err := os.Open(path)
	if err != nil {
		return "", false
	}
	defer f.Close()
	head := make([]byte, maxInterpreter)
	n, _ := io.ReadFull(f, head) // a short script is read as far as it goes
	line, _, _ := strings.Cut(string(head[:n]), "\n")
	words := strings.FieldsFunc(strings.TrimPrefix(line, "#!"), func(r rune) bool { return r == ' ' || r == '\t' })
	if !strings.HasPrefix(line, "#!") || len(words) == 0 {
		return "", false
	}
	_, err = os.Stat(words[0])
	return words[0], errors.Is(err, fs.ErrNotExist)
}

// notStarted gives the shells' exit codes to a program that did not start.
func notStarted(program string, err error) error {
	if err == nil {
		return nil
	}
	if ended, ok := errors.AsType[*subprocess.ExitError](err); ok {
		return &codeError{code: ended.Code}
	}
	code := exitNotExecutable
	if errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist) {
		code = exitNotFound
	}
	return &codeError{code: code, text: fmt.Sprintf("run %s: %v", program, errors.Unwrap(err))}
}
