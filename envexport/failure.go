package envexport

import "fmt"

// Failure returns a command that fails with the exit code in the shell that
// evaluates this format. Print it if no variables can be written: a shell
// ignores the exit code of the program inside eval "$(...)", and would continue
// with old variables. It is "" for shells that detect the failure themselves,
// and for data formats.
func Failure(f Format, code int) string {
	switch f {
	case Sh:
		return fmt.Sprintf("(exit %d)\n", code)
	case Fish: // fish has no subshells
		return fmt.Sprintf("sh -c 'exit %d'\n", code)
	case PowerShell:
		return fmt.Sprintf("throw 'mcp-login: exit code %d'\n", code)
	}
	return ""
}
