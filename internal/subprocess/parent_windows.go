package subprocess

import (
	"os"
	"path/filepath"
	"strings"
	"unsafe"

	"golang.org/x/sys/windows"
)

// Parent returns the program of the parent process; "" if unknown. A parent with
// the same name is a package manager's shim: then it returns the shim's parent.
func Parent() string {
	processes := processes()
	self, _ := os.Executable() // without it a shim is not detected
	shim := filepath.Base(self)
	id := uint32(os.Getpid())
	for range 3 {
		id = processes[id].parent
		if name := processes[id].name; !strings.EqualFold(name, shim) {
			return name
		}
	}
	return ""
}

// process is a running process.
type process struct {
	parent uint32
	name   string
}

// processes returns all processes by PID; none if unknown.
func processes() map[uint32]process {
	snapshot, err := windows.CreateToolhelp32Snapshot(windows.TH32CS_SNAPPROCESS, 0)
	if err != nil {
		return nil
	}
	defer windows.CloseHandle(snapshot)
	found := map[uint32]process{}
	entry := windows.ProcessEntry32{Size: uint32(unsafe.Sizeof(windows.ProcessEntry32{}))}
	for err := windows.Process32First(snapshot, &entry); err == nil; err = windows.Process32Next(snapshot, &entry) {
		found[entry.ProcessID] = process{entry.ParentProcessID, windows.UTF16ToString(entry.ExeFile[:])}
	}
	return found
}
