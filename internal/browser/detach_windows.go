package browser

import (
	"os/exec"
	"syscall"
)

// detach prevents Ctrl-C in this console from ending the program.
func detach(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}
