package invocation

import (
	"github.com/mcp-login/mcp-login/internal/exit"
	"github.com/mcp-login/mcp-login/internal/settings"
)

// CheckValues returns an error for invalid values of flags, from any source,
// with an example of a valid one, and for typed flags that have no effect.
func (i Invocation) CheckValues() error {
	for _, f := range i.Line.Flags() {
		v, err := i.Settings().Get(f.Key)
		if err != nil {
			return err
		}
		if v.Origin == settings.Default {
			continue
		}
		for _, text := range v.Texts {
			if err := f.Check(text); err != nil {
				return invalid(v, text, err)
			}
		}
	}
	for _, f := range i.Line.Flags() {
		if err := i.checkNeeds(f); err != nil {
			return err
		}
	}
	return nil
}

// invalid returns the error for an invalid value, with its origin.
func invalid(v settings.Value, text string, err error) error {
	switch {
	case v.Configured():
		return v.Invalid(text, err)
	case v.Origin == settings.Environment:
		return exit.Usagef("%s=%q: %w", v.Source, text, err)
	}
	return exit.Usagef("--%s %q: %w", v.Name, text, err)
}
