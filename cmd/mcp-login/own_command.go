package main

import (
	"context"
	"os/exec"
)

// ownCommand returns a command that this program runs for itself, such as one
// that prints a secret or opens a browser. Its standard input is empty: ours may
// hold an MCP client's requests, or a parcel to import.
func ownCommand(ctx context.Context, path string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Stdin = nil // the null device
	return cmd
}
