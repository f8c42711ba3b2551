package envexport

import "strings"

// Detect chooses the format for the shell that started this program. parent is
// the name or path of the parent process, "" if that is not known, goos as
// runtime.GOOS has it. why says what the choice rests on, for people.
func Detect(goos, parent string, getenv func(string) string) (f Format, why string) {
	if f, ok := shell(program(parent)); ok {
		return f, "the parent process is " + program(parent)
	}
	// Nushell exports its version to every child, and PowerShell its module
	// path, which on Windows every process has.
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

// Eval returns what to type in a shell so that it evaluates what a command prints,
// which is mcp-login env or one like it. Other formats than those of shells get the
// line of sh.
func (f Format) Eval(command string) string {
	switch f {
	case Fish:
		return command + " --format fish | source"
	case PowerShell:
		return command + " --format powershell | Out-String | Invoke-Expression"
	case Cmd:
		return `for /f "delims=" %i in ('` + command + ` --format cmd') do @%i`
	case Nushell:
		return command + " --format json | from json | load-env"
	case Elvish:
		return "eval (" + command + " --format elvish | slurp)"
	case Tcsh:
		return "eval \"`" + command + " --format tcsh`\""
	}
	return `eval "$(` + command + `)"`
}

// program cuts a process's name to what shells are known by: "-zsh" is a login
// shell, "C:\...\pwsh.exe" a path.
func program(name string) string {
	name = name[strings.LastIndexAny(name, `/\`)+1:]
	name = strings.TrimSuffix(strings.ToLower(name), ".exe")
	return strings.TrimPrefix(name, "-")
}
