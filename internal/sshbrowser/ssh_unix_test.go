//go:build unix

package sshbrowser_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/mcp-login/mcp-login/internal/sshbrowser"
)

// TestErrorsOfSSH: the error is the message of ssh, not its exit code.
func TestErrorsOfSSH(t *testing.T) {
	bin := t.TempDir()
	script := "#!/bin/sh\necho 'ssh: Could not resolve hostname devbox: Name or service not known' >&2\nexit 255\n"
	if err := os.WriteFile(filepath.Join(bin, "ssh"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	err := (&sshbrowser.SSH{Host: "devbox"}).Announce(t.Context(), sshbrowser.Link{Remote: 1})
	if err == nil || err.Error() != "run mcp-login on devbox: ssh: Could not resolve hostname devbox: Name or service not known" {
		t.Errorf("Announce: %v", err)
	}
	if _, ok := errors.AsType[*exec.ExitError](err); !ok {
		t.Errorf("Announce: %v does not wrap the exit code", err)
	}
}
