// Package exit has the exit codes, which are stable for scripts, and the two
// errors with an exit code. It must not know other errors: internal/remedy has
// the table for those.
package exit

import (
	"fmt"

	"github.com/mcp-login/mcp-login/internal/suggest"
)

// The exit codes.
const (
	Done          = 0
	Failed        = 1
	BadUsage      = 2
	Temporary     = 3 // network, 5xx, 429: retry
	LoginRequired = 4
	Denied        = 5
	TimedOut      = 6
	Store         = 7 // unavailable or undecryptable
	Interrupted   = 130
)

// Exit codes of POSIX 2.8.2 for a program that could not be started.
const (
	NotExecutable = 126
	NotFound      = 127
)

// Error ends a command with an exit code and a text: exec passes on its child's
// code, and status --check reports its result by it.
type Error struct {
	Code int
	Text string // "": print nothing
	Hint string
}

func (e *Error) Error() string { return e.Text }

// UsageError is a mistake in how the program was called.
type UsageError struct{ err error }

func (e UsageError) Error() string { return e.err.Error() }

// Unwrap returns the cause.
func (e UsageError) Unwrap() error { return e.err }

// Usage returns err as a mistake in how the program was called.
func Usage(err error) error { return UsageError{err} }

// Usagef is Usage with a text.
func Usagef(format string, a ...any) error { return UsageError{fmt.Errorf(format, a...)} }

// Unknown returns the error for an invalid value of a flag or an argument.
func Unknown(of, value string, known []string) error {
	return Usagef("%s: %q is unknown%s Use %s", of, value, suggest.DidYouMean(value, known), suggest.Or(known))
}
