//go:build unix

package browser

import (
	"os/exec"
	"syscall"
)

// detach gives a program a separate session, without this terminal: Ctrl-C does
// not end it, and a browser for terminals does not fight with the prompt.
func detach(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} }
