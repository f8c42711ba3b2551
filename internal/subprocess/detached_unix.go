//go:build unix

package subprocess

import "syscall"

// detached puts a program into a session without a terminal, so that the end of this
// one's session does not end it.
func detached() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }
