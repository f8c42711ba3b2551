package subprocess

import (
	"errors"
	"os"
	"os/exec"
	"os/signal"
)

// Become runs the program and exits with its exit code. Windows cannot replace
// a process. Ctrl-C reaches the program by the console; it is ignored here, so
// that the program decides.
func Become(path string, argv, environ []string) error {
	signal.Ignore(os.Interrupt)
	cmd := exec.Command(path)
	cmd.Args, cmd.Env = argv, environ
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	err := cmd.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return &ExitError{Code: exit.ExitCode()}
	}
	return err
}
