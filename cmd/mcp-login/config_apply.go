package main

import (
	"flag"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// configure gives the flags that were not given, on the command line or by the
// environment, the values of the configuration file.
func (e *env) configure(c *cli.Context) error {
	s, err := e.readSettings()
	if err != nil || s == nil {
		return err
	}
	e.settings = s
	free := e.free(c.Command.Flags)
	e.profile = func(name string) error { return s.apply(c.Set, free, []string{name}) }
	return s.apply(c.Set, free, slices.Concat(profilesOf(c.Command, c.Args().Slice()), c.StringSlice(alsoFlag)))
}

// forProfile returns the options that hold for one profile of several that a
// command works on, and an env in which that profile's table holds.
func (e *env) forProfile(name string) (*env, *common, error) {
	own, o := *e, new(common)
	flags := o.flags()
	set := flag.NewFlagSet(name, flag.ContinueOnError)
	for _, f := range flags {
		if err := f.Apply(set); err != nil { // the default, or the environment
			return nil, nil, usageError{err}
		}
		for _, text := range e.line.values(f.Names()[0]) {
			if err := set.Set(f.Names()[0], text); err != nil {
				return nil, nil, usageError{err}
			}
		}
	}
	if e.settings == nil {
		return &own, o, nil
	}
	s := *e.settings
	own.settings = &s
	return &own, o, s.apply(set.Set, e.free(flags), []string{name})
}

// apply sets flags to what holds for these profiles.
func (s *settings) apply(set func(name, value string) error, flags []cli.Flag, profiles []string) error {
	s.using = profiles
	for _, f := range flags {
		name := f.Names()[0]
		said, found, err := s.lookup(name)
		if err != nil {
			return err
		}
		if !found {
			continue
		}
		for _, value := range said.values {
			if err := set(name, value); err != nil {
				return configError("%s:%d: %s: %q: %v", s.path, said.line, name, value, err)
			}
		}
	}
	for key := range withoutFlag {
		if _, _, err := s.lookup(key); err != nil {
			return err
		}
	}
	return nil
}

// free returns the flags that were not given, on the command line or by the
// environment.
func (e *env) free(flags []cli.Flag) []cli.Flag {
	return slices.DeleteFunc(slices.Clone(flags), e.given)
}

// given reports whether a flag was given. A variable that is empty says
// nothing.
func (e *env) given(f cli.Flag) bool {
	if d, ok := f.(cli.DocGenerationFlag); ok {
		for _, variable := range d.GetEnvVars() {
			if e.getenv(variable) != "" {
				return true
			}
		}
	}
	_, typed := e.line.value(f.Names()[0])
	return typed
}

// profilesOf returns the profiles among a command's arguments.
func profilesOf(c *cli.Command, args []string) []string {
	switch {
	case len(args) == 0:
		return nil
	case strings.HasPrefix(c.ArgsUsage, "NAME..."):
		return args
	case strings.HasPrefix(c.ArgsUsage, "NAME"), c.ArgsUsage == "[NAME]":
		return args[:1]
	}
	return nil
}

// lookup returns what holds for the profiles of this command: what their table
// says, else what all share. Profiles that differ cannot go into one command.
func (s *settings) lookup(key string) (setting, bool, error) {
	if s == nil {
		return setting{}, false, nil
	}
	set, found := s.global[key]
	for i, name := range s.using {
		own, ok := s.profiles[name][key]
		if !ok {
			own, ok = s.global[key]
		}
		if i > 0 && (ok != found || !slices.Equal(own.values, set.values)) {
			return setting{}, false, configError("%s: %q and %q differ in %s: take one at a time", s.path, s.using[0], name, key)
		}
		set, found = own, ok
	}
	return set, found, nil
}

// setting returns what the environment says, else the configuration, of
// something that has no flag.
func (e *env) setting(key string) string {
	if value := e.getenv(withoutFlag[key]); value != "" {
		return value
	}
	return e.configured(key)
}

// configured returns what the configuration says, "" if nothing.
func (e *env) configured(key string) string {
	set, _, err := e.settings.lookup(key)
	if err != nil || len(set.values) == 0 {
		return "" // profiles that differ were refused already, by configure
	}
	return set.values[0]
}
