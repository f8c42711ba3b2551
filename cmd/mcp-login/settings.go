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

// applySettings gives the flags that were not given, on the command line or by
// the environment, the values of the configuration file.
func (e *call) applySettings(c *cli.Context) error {
	if e.File == nil {
		return nil
	}
	s := e.Settings()
	for _, f := range c.Command.Flags {
		v, err := s.Get(describeFlag(f).Key)
		if err != nil {
			return err
		}
		if v.Configured() {
			if err := setFlag(c.Set, v); err != nil {
				return err
			}
		}
	}
	_, err := s.All(variables.WithoutFlag())
	return err
}

// setFlag sets a flag to a value.
func setFlag(set func(name, value string) error, v settings.Value) error {
	for _, text := range v.Texts {
		if err := set(v.Name, text); err != nil {
			if v.Configured() {
				return v.Invalid(text, err)
			}
			return exit.Usage(err)
		}
	}
	return nil
}

// forProfile returns the options of one profile of several that a command works
// on, and the run for it.
func (e *call) forProfile(name string) (*call, *common, error) {
	own := *e
	own.Invocation = e.For(name)
	o, err := commonOptions(own.Settings())
	return &own, o, err
}

// commonOptions returns the options that every command has, as the settings have
// them.
func commonOptions(s settings.Settings) (*common, error) {
	o := new(common)
	set := flag.NewFlagSet("", flag.ContinueOnError)
	for _, f := range o.flags() {
		v, err := s.Get(describeFlag(f).Key)
		if err != nil {
			return nil, err
		}
		if err := f.Apply(set); err != nil {
			return nil, exit.Usage(err)
		}
		if err := setFlag(set.Set, v); err != nil {
			return nil, err
		}
	}
	return o, nil
}
