package secretref

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/mcp-login/mcp-login/secrets"
)

// FromVariable returns the source of a secret from NAME_FILE, NAME_COMMAND or
// NAME; "" if none is set.
func FromVariable(getenv func(string) string, name string) string {
	if path := getenv(name + "_FILE"); path != "" {
		return "file:" + path
	}
	if line := getenv(name + "_COMMAND"); line != "" {
		return "command:" + line
	}
	if getenv(name) != "" {
		return "env:" + name
	}
	return ""
}

// Passphrase reads a passphrase from its source.
type Passphrase struct {
	Reader Reader
	Source string // "": the user types it
	MayAsk bool
}

// Read returns a function that reads the passphrase.
func (p Passphrase) Read(question string) func(context.Context) ([]byte, error) {
	return func(ctx context.Context) ([]byte, error) {
		if p.Source == "" {
			return p.ask(ctx, question)
		}
		text, err := p.Reader.Read(ctx, p.Source, "passphrase")
		if err != nil {
			return nil, &PassphraseError{err}
		}
		return []byte(text), nil
	}
}

func (p Passphrase) ask(ctx context.Context, question string) ([]byte, error) {
	if !p.MayAsk {
		return nil, ErrLocked
	}
	answer, err := p.Reader.Ask(ctx, question)
	if errors.Is(err, ErrNoTerminal) {
		err = missingError{fmt.Errorf("no passphrase is set, and %w", err)}
	}
	return answer, err
}

// ErrLocked means that a store needs a passphrase from the user, and that this
// command never prompts.
var ErrLocked error = missingError{errors.New("the store is locked by a passphrase; unlock it first")}

// ErrMismatch means that the user typed two different texts as a new passphrase.
var ErrMismatch = errors.New("the passphrases do not match")

// missingError makes the lack of a passphrase a kind of [secrets.ErrPassphrase],
// without calling it a wrong one.
type missingError struct{ error }

func (e missingError) Unwrap() []error { return []error{e.error, secrets.ErrPassphrase} }

// Choose returns a function that gets a new passphrase. The user types it twice.
func (p Passphrase) Choose(question string) func(context.Context) ([]byte, error) {
	return func(ctx context.Context) ([]byte, error) {
		first, err := p.Read(question)(ctx)
		if err != nil || p.Source != "" {
			return first, err
		}
		again, err := p.Reader.Ask(ctx, "repeat it: ")
		if err == nil && !bytes.Equal(first, again) {
			err = ErrMismatch
		}
		return first, err
	}
}

// PassphraseError means that the source of a passphrase failed, so the store is
// unavailable.
type PassphraseError struct{ Err error }

func (e *PassphraseError) Error() string { return e.Err.Error() }

// Unwrap returns the cause and secrets.ErrUnavailable.
func (e *PassphraseError) Unwrap() []error { return []error{e.Err, secrets.ErrUnavailable} }
