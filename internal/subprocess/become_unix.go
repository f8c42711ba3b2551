//go:build unix

package subprocess

import (
	"fmt"
	"syscall"
)

// Become replaces this process by the program, so that nothing stands between
// it and its parent: signals, exit code, terminal and process id are its own.
// Nothing has to be cleaned up here first. It returns only if that failed.
func Become(path string, argv, environ []string) error {
	return fmt.Errorf("start: %w", syscall.Exec(path, argv, environ))
}
