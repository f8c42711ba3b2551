package main

import (
	"flag"

	"github.com/urfave/cli/v2"

	"github.com/mcp-login/mcp-login/internal/exit"
	"github.com/mcp-login/mcp-login/internal/settings"
	"github.com/mcp-login/mcp-login/internal/variables"
)

// knownKeys returns every setting, sorted: the flags of all commands that have
// an environment variable, and those without a flag.
func knownKeys(commands []*cli.Command) []settings.Key {
	return settings.Sorted(variables.WithoutFlag(), treeOf(commands).Keys())
}

// flagSet sets flags to the values of their settings.
func flagSet(flags []cli.Flag, s settings.Settings) (*flag.FlagSet, error) {
	set := flag.NewFlagSet("", flag.ContinueOnError)
	for _, f := range flags {
		v, err := s.Get(describeFlag(f).Key)
		if err != nil {
			return nil, err
		}
		if err := f.Apply(set); err != nil {
			return nil, exit.Usage(err)
		}
		if err := setFlag(set, v); err != nil {
			return nil, err
		}
	}
	return set, nil
}

// setFlag sets a flag to a value.
func setFlag(set *flag.FlagSet, v settings.Value) error {
	if v.Origin == settings.Default {
		return nil
	}
	if l, is := set.Lookup(v.Name).Value.(*list); is {
		*l = v.Texts
		return nil
	}
	for _, text := range v.Texts {
		if err := set.Set(v.Name, text); err != nil {
			return exit.Usage(err)
		}
	}
	return nil
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
	_, err := flagSet(o.flags(), s)
	return o, err
}
