package manpage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/mcp-login/mcp-login/internal/subprocess"
)

// ErrNoReader means that man is not installed.
var ErrNoReader = errors.New("man is not installed")

// Show runs man to show a page on the terminal screen. Man starts the pager of the
// user (MANPAGER, PAGER), which decides what Ctrl-C means.
func Show(ctx context.Context, page []byte, screen io.Writer, environ []string) error {
	man, err := subprocess.Find("man")
	if err != nil {
		return ErrNoReader
	}
	dir, err := os.MkdirTemp("", "mcp-login-man-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "mcp-login.1") // every man treats a name with a slash as a file; not all have -l
	if err := os.WriteFile(path, page, 0o600); err != nil {
		return err
	}
	cmd := subprocess.WithoutInput(context.WithoutCancel(ctx), man, path)
	cmd.Stdout, cmd.Stderr, cmd.Env = screen, screen, environ
	if ended, ok := errors.AsType[*exec.ExitError](cmd.Run()); ok && ended.Exited() {
		return fmt.Errorf("man: exit code %d", ended.ExitCode())
	}
	return nil
}
