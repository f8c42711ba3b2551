// Command mcp-login gets an OAuth token for an MCP server on a machine without a
// browser, stores it safely, refreshes it, and provides it to programs.
//
// Standard output is data, standard error is for people, questions go to the
// terminal. A command that fails leaves standard output empty, except env: the shell
// that evaluates its output must fail too.
package main

import (
	"io"
	"os"

	"github.com/mcp-login/mcp-login/internal/interrupt"
	"github.com/mcp-login/mcp-login/internal/parcel"
	"github.com/mcp-login/mcp-login/internal/redact"
	"github.com/mcp-login/mcp-login/internal/terminal"
	"github.com/mcp-login/mcp-login/internal/variables"
)

func main() {
	growStack()
	os.Exit(run(interrupt.Context(), os.Args[1:], sysEnv()))
}

// growStack makes the stack as large as a command needs it. It would grow in three more
// steps, and each of them copies and adjusts all frames: 3 % of a short command's time.
//
//go:noinline
func growStack() byte {
	var frame [40 << 10]byte
	return frame[len(os.Args)%len(frame)] // so that the compiler keeps it
}

// env is the streams, the environment and the terminal of the process.
type env struct {
	in       io.Reader
	out, err io.Writer
	getenv   func(string) string
	tty      func() (*os.File, error) // opens the terminal for questions; an error without one
	hidden   *redact.Redactor         // redacts log and error texts
	work     int                      // cost of a parcel's passphrase: parcel.WorkFactor
	secrets  variables.Withheld       // from the environment
}

func sysEnv() *env {
	for _, name := range variables.Empty(os.Environ()) {
		_ = os.Unsetenv(name) // cannot fail for an existing name
	}
	secrets := variables.Withhold(os.Getenv)
	return &env{
		in: os.Stdin, out: os.Stdout, err: os.Stderr,
		getenv:  secrets.Over(os.Getenv),
		secrets: secrets,
		work:    parcel.WorkFactor,
		tty:     terminal.OpenTTY,
		hidden:  redact.To(os.Stderr),
	}
}
