package envexport

import "strings"

// Detect returns the format for the shell that started this program. parent is
// the name or path of the parent process, "" if unknown; goos is runtime.GOOS.
// why is a reason to display.
func Detect(goos, parent string, getenv func(string) string) (f Format, why string) {
	if f, ok := shell(program(parent)); ok {
		return f, "the parent process is " + program(parent)
	}
	// Nushell exports its version to every child, and PowerShell its module
	// path, which every process on Windows has.
	switch {
	case getenv("NU_VERSION") != "":
		return Nushell, "NU_VERSION is set"
	case goos != "windows" && getenv("PSModulePath") != "":
		return PowerShell, "PSModulePath is set"
	case goos == "windows" && getenv("SHELL") == "":
		return PowerShell, "this is Windows"
	}
	if f, ok := shell(program(getenv("SHELL"))); ok {
		return f, "SHELL is " + program(getenv("SHELL"))
	}
	return Sh, "the shell is not known"
}

// program returns the shell's program name of a process name, which may be that
// of a login shell ("-zsh") or a path ("C:\...\pwsh.exe").
func program(name string) string {
	name = name[strings.LastIndexAny(name, `/\`)+1:]
	name = strings.TrimSuffix(strings.ToLower(name), ".exe")
	return strings.TrimPrefix(name, "-")
}
