// Package exit has the exit codes, which are a promise to scripts, and the two
// errors that carry one. It must not know what else can go wrong: internal/remedy
// has the table of all other errors.
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
	Temporary     = 3 // network, 5xx, 429: try again
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

// Error ends a command with a code and a text that no other error has: exec
// passes its child's code on, status --check answers with it.
type Error struct {
	Code int
	Text string // "": say nothing
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

// Unknown reports a value that is none of those that a flag or an argument takes.
func Unknown(of, value string, known []string) error {
	return Usagef("%s: %q is unknown%s Use %s", of, value, suggest.DidYouMean(value, known), suggest.Or(known))
}
