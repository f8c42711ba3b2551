package main

import (
	"strconv"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/mcp-login/mcp-login/internal/commandline"
	"github.com/mcp-login/mcp-login/internal/exit"
	"github.com/mcp-login/mcp-login/internal/settings"
	"github.com/mcp-login/mcp-login/internal/variables"
)

// knownKeys returns every setting, sorted: the flags of all commands that have
// an environment variable, and those without a flag.
func knownKeys(commands []*cli.Command) []settings.Key {
	return settings.Sorted(variables.WithoutFlag(), treeOf(commands).Keys())
}

// setFlags sets flags to the values of their settings.
func setFlags(flags []cli.Flag, s settings.Settings) error {
	for _, f := range flags {
		v, err := s.Get(describeFlag(f).Key)
		if err != nil {
			return err
		}
		if v.Origin == settings.Default {
			v.Texts = nil
		}
		if err := setFlag(f, v.Texts); err != nil {
			return exit.Usage(err)
		}
	}
	return nil
}

// setFlag sets the variable of a flag to its last text, or to the default if there is
// none.
func setFlag(f cli.Flag, texts []string) error {
	switch f := f.(type) {
	case *cli.StringFlag:
		return parseLast(f.Destination, f.Value, texts, func(text string) (string, error) { return text, nil })
	case *cli.BoolFlag:
		return parseLast(f.Destination, f.Value, texts, strconv.ParseBool)
	case *cli.DurationFlag:
		return parseLast(f.Destination, f.Value, texts, time.ParseDuration)
	case *cli.IntFlag:
		return parseLast(f.Destination, f.Value, texts, commandline.ParseNumber)
	case *cli.GenericFlag:
		if len(texts) > 0 {
			*f.Value.(*list) = texts
		}
	}
	return nil
}

func parseLast[T any](to *T, value T, texts []string, parse func(string) (T, error)) (err error) {
	*to = value
	if len(texts) > 0 {
		*to, err = parse(texts[len(texts)-1])
	}
	return err
}

// forProfile returns the options of one profile of several that a command works
// on, and the run for it.
func (e *call) forProfile(name string) (*call, *common, error) {
	own := *e
	own.Profiles = []string{name}
	o, err := commonOptions(own.Settings())
	return &own, o, err
}

// commonOptions returns the common options from the settings.
func commonOptions(s settings.Settings) (*common, error) {
	o := new(common)
	return o, setFlags(o.flags(), s)
}
