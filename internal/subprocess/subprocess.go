// Package subprocess makes the commands that this program runs for itself, such
// as one that prints a secret or opens a browser. It must not know what they are
// for.
package subprocess

import (
	"context"
	"os/exec"
)

// WithoutInput returns a command whose standard input is empty: ours may hold an
// MCP client's requests, or a parcel to import.
func WithoutInput(ctx context.Context, path string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Stdin = nil // the null device
	return cmd
}
