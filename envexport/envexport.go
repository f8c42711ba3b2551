// Package envexport writes environment variables as text that a shell or
// another program reads back unchanged.
//
// [Write] sets variables, [Unset] unsets them, [ParseFormat] and [Detect]
// choose the [Format], and [Prefix] returns the variable prefix of a profile.
// The output is for evaluation by a shell:
//
//	eval "$(mcp-login env notion)"                            # sh, bash, zsh, ksh
//	mcp-login env notion --format fish | source               # fish
//	mcp-login env notion --format powershell | Invoke-Expression
//	eval (mcp-login env notion --format elvish | slurp)       # elvish
//	eval "`mcp-login env notion --format tcsh`"               # tcsh
//	mcp-login env notion --format json | from json | load-env # nushell
//
// # Security
//
// A shell evaluates the text as code. Names must match [A-Za-z_][A-Za-z0-9_]*,
// values are quoted so that nothing in them is expanded, and a value that a
// format cannot represent exactly is an [*Error]. On error nothing is written.
//
// # Stability
//
// A format's text may change as long as its reader reads the same values.
// New formats may be added.
package envexport

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/mcp-login/mcp-login/internal/ascii"
)

// Var is one environment variable.
type Var struct {
	Name  string
	Value string
}

// Error says which variable a format cannot represent and why. It never
// contains the value.
type Error struct {
	Format Format
	Name   string
	Reason string
	Value  bool // the reason is the value, not the name
}

func (e *Error) Error() string {
	return fmt.Sprintf("variable %q in format %s: %s", e.Name, e.Format, e.Reason)
}

// Write writes text that sets vars, in order. If the variables are invalid, it
// writes nothing.
func Write(w io.Writer, f Format, vars []Var) error {
	s, err := f.syntax()
	if err != nil {
		return err
	}
	statements := make([]string, 0, len(vars))
	seen := make(map[string]bool, len(vars))
	for _, v := range vars {
		if reason := misnamed(v.Name, seen); reason != "" {
			return &Error{Format: f, Name: v.Name, Reason: reason}
		}
		if reason := refuse(s, v.Value); reason != "" {
			return &Error{Format: f, Name: v.Name, Reason: reason, Value: true}
		}
		seen[v.Name] = true
		statements = append(statements, s.set(v.Name, v.Value))
	}
	return s.write(w, statements)
}

// Unset writes text that unsets the named variables. For formats that can only
// set, such as [Dotenv], it returns an [*Error].
func Unset(w io.Writer, f Format, names []string) error {
	s, err := f.syntax()
	if err != nil {
		return err
	}
	statements := make([]string, 0, len(names))
	for _, name := range names {
		switch {
		case !ValidName(name):
			return &Error{Format: f, Name: name, Reason: badName}
		case s.unset == nil:
			return &Error{Format: f, Name: name, Reason: "the format cannot take a variable away"}
		}
		statements = append(statements, s.unset(name))
	}
	return s.write(w, statements)
}

// ValidName reports whether name can be a variable's name in every format:
// [A-Za-z_][A-Za-z0-9_]*.
func ValidName(name string) bool {
	word := func(r rune) bool { return r == '_' || ascii.Alphanumeric(r) }
	return name != "" && ascii.Only(name, word) && !ascii.Digit(rune(name[0]))
}

const badName = "the name is not made of A-Z, a-z, 0-9 and _, or starts with a digit"

// misnamed returns why a name is invalid, or "".
func misnamed(name string, seen map[string]bool) string {
	switch {
	case !ValidName(name):
		return badName
	case seen[name]:
		return "the name is set twice"
	}
	return ""
}

// refuse returns why a value cannot be represented, or "".
func refuse(s syntax, value string) string {
	switch {
	case strings.ContainsRune(value, 0):
		return "the value contains a NUL byte"
	case !utf8.ValidString(value):
		return "the value is not UTF-8"
	case s.refuse == nil:
		return ""
	}
	return s.refuse(value)
}
