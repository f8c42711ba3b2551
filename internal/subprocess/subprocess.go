// Package subprocess runs other programs, such as one that prints a secret or
// opens a browser, and identifies the parent process. It must not know what
// they are for.
package subprocess

import (
	"context"
	"fmt"
	"os/exec"
)

// WithoutInput returns a command whose standard input is empty: that of this
// process may have an MCP client's requests, or a parcel to import.
func WithoutInput(ctx context.Context, path string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Stdin = nil // the null device
	return cmd
}

// ExitError has the exit code of a program that replaced this one. That program
// has printed its error.
type ExitError struct{ Code int }

func (e *ExitError) Error() string { return fmt.Sprintf("exit code %d", e.Code) }

// Detached returns a command that outlives this program and its terminal. Its
// standard input and output are empty.
func Detached(path string, args ...string) *exec.Cmd {
	cmd := WithoutInput(context.Background(), path, args...)
	cmd.SysProcAttr = detached()
	return cmd
}
