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

// Become replaces this process by the program, so that it has the parent, PID,
// terminal, signals and exit code of this process. The caller must have cleaned
// up. It returns only on failure.
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
// inherits. It replaces all other dispositions by handlers before the program's
// code runs, so that they are lost.
func startedBySystemd(environ []string) bool {
	return slices.Contains(environ, "SYSTEMD_EXEC_PID="+strconv.Itoa(os.Getpid()))
}
