// Command mcp-login gets an OAuth token for an MCP server on a machine without a
// browser, stores it safely, refreshes it, and provides it to programs.
//
// Standard output is data, standard error is for people, questions go to the
// terminal. A command that fails leaves standard output empty, except env: the shell
// that evaluates its output must fail too.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/mcp-login/mcp-login/internal/parcel"
	"github.com/mcp-login/mcp-login/internal/redact"
	"github.com/mcp-login/mcp-login/internal/terminal"
	"github.com/mcp-login/mcp-login/internal/variables"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), interrupts()...)
	context.AfterFunc(ctx, stop) // a second signal ends the program immediately
	os.Exit(run(ctx, os.Args[1:], sysEnv()))
}

// interrupts are the signals that end a command. One that is ignored, as nohup
// does, stays ignored.
func interrupts() []os.Signal {
	var signals []os.Signal
	for _, s := range []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP} {
		if !signal.Ignored(s) {
			signals = append(signals, s)
		}
	}
	return signals
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
