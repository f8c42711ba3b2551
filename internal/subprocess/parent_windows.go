package subprocess

import (
	"os"
	"path/filepath"
	"strings"
	"unsafe"

	"golang.org/x/sys/windows"
)

// Parent returns the program that started this one, "" if that cannot be seen. A
// parent of the same name is a package manager's shim, and what started that
// counts.
func Parent() string {
	processes := processes()
	self, _ := os.Executable() // without it no shim is found
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

// process is a process that runs now.
type process struct {
	parent uint32
	name   string
}

// processes returns all processes by their ids, none if they cannot be seen.
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
