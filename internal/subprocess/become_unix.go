//go:build unix

package subprocess

import (
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"syscall"
)

// Become replaces this process by the program, so that nothing stands between
// it and its parent: signals, exit code, terminal and process id are its own.
// Nothing has to be cleaned up here first. It returns only if that failed.
func Become(path string, argv, environ []string) error {
	if startedBySystemd(environ) {
		signal.Ignore(syscall.SIGPIPE)
	}
	return fmt.Errorf("start: %w", syscall.Exec(path, argv, environ))
}

// startedBySystemd reports whether systemd itself started this process. It does so
// with SIGPIPE ignored, unless IgnoreSIGPIPE=no.
//
// The runtime of Go keeps an ignored SIGHUP and SIGINT, which the program then
// inherits. It puts handlers in the place of all other dispositions before any code
// of a program runs, and does not say what it found, so that they are lost.
func startedBySystemd(environ []string) bool {
	return slices.Contains(environ, "SYSTEMD_EXEC_PID="+strconv.Itoa(os.Getpid()))
}
