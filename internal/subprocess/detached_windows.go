package subprocess

import (
	"syscall"

	"golang.org/x/sys/windows"
)

// detached gives a program no console, so that the end of this one's does not end it.
func detached() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{CreationFlags: windows.DETACHED_PROCESS | windows.CREATE_NEW_PROCESS_GROUP}
}
