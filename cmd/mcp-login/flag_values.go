package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/mcp-login/mcp-login/internal/settings"
	"github.com/mcp-login/mcp-login/internal/suggest"
)

// checkValues refuses values of flags that cannot be read, wherever they come
// from, with an example of one that can.
func (e *env) checkValues() error {
	s := e.settings()
	for _, f := range e.line.command.Flags {
		v, err := s.Get(keyOf(f))
		if err != nil {
			return err
		}
		if v.Origin == settings.Default {
			continue
		}
		for _, text := range v.Texts {
			if err := readable(f, text); err != nil {
				return invalid(v, text, err)
			}
		}
	}
	return nil
}

// invalid names the origin of a value that cannot be read.
func invalid(v settings.Value, text string, err error) error {
	switch {
	case v.Configured():
		return v.Invalid(text, err)
	case v.Origin == settings.Environment:
		return usagef("%s=%q: %w", v.Source, text, err)
	}
	return usagef("--%s %q: %w", v.Name, text, err)
}

// readable says what is wrong with the value of a flag.
func readable(f cli.Flag, text string) error {
	switch f.(type) {
	case *cli.DurationFlag:
		if _, err := time.ParseDuration(text); err == nil {
			return nil
		}
		if _, err := strconv.Atoi(text); err == nil {
			return fmt.Errorf("not a duration, use %ss or %[1]sm", text)
		}
		return errors.New("not a duration, use 30s or 5m")
	case *cli.IntFlag:
		if _, err := strconv.ParseInt(text, 0, 64); err != nil {
			return errors.New("not a number, use digits such as 8080")
		}
	case *cli.BoolFlag:
		if _, err := strconv.ParseBool(text); err != nil {
			return errors.New("use true or false")
		}
	}
	return nil
}

// unknownValue reports a value that is none of those that a flag or an argument
// takes.
func unknownValue(of, value string, known []string) error {
	return usagef("%s: %q is unknown%s Use %s", of, value, didYouMean(value, known), orList(known))
}

// didYouMean asks whether a known word was meant.
func didYouMean(word string, known []string) string {
	if meant, ok := suggest.Closest(word, known); ok {
		return fmt.Sprintf(", did you mean %s?", meant)
	}
	return "."
}

// orList joins words with "or" before the last.
func orList(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}
