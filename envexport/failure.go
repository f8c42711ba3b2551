package envexport

import "fmt"

// Failure returns a command that only fails, with the exit code, in the shell
// that evaluates text of this format. Print it when there are no variables to
// write: a shell ignores the exit code of the program inside eval "$(...)", and
// would go on with old variables. It is "" where the shell itself notices, and
// for formats that are data.
func Failure(f Format, code int) string {
	switch f {
	case Sh:
		return fmt.Sprintf("(exit %d)\n", code)
	case Fish: // has no subshells
		return fmt.Sprintf("sh -c 'exit %d'\n", code)
	case PowerShell:
		return fmt.Sprintf("throw 'mcp-login: exit code %d'\n", code)
	}
	return ""
}
