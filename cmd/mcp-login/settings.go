package main

import (
	"cmp"
	"flag"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/mcp-login/mcp-login/internal/profilename"
	"github.com/mcp-login/mcp-login/internal/settings"
)

// withoutFlag are the keys that no flag has, and their environment variables.
var withoutFlag = map[string]string{
	"passphrase-file":    storePassphrase + "_FILE",
	"passphrase-command": storePassphrase + "_COMMAND",
	"vault-address":      "VAULT_ADDR",
	"vault-namespace":    "VAULT_NAMESPACE",
	"vault-auth":         "MCP_LOGIN_VAULT_AUTH",
	"vault-auth-mount":   "MCP_LOGIN_VAULT_AUTH_MOUNT",
	"vault-role":         "MCP_LOGIN_VAULT_ROLE",
	"vault-secret":       "MCP_LOGIN_VAULT_SECRET",
	"vault-wrapped":      "MCP_LOGIN_VAULT_WRAPPED",
	"vault-audience":     "MCP_LOGIN_VAULT_AUDIENCE",
}

// knownKeys returns every setting, sorted: the flags of all commands that have
// an environment variable, and those without a flag.
func knownKeys(commands []*cli.Command) []settings.Key {
	keys := map[string]settings.Key{}
	for name := range withoutFlag {
		keys[name] = keyNamed(name)
	}
	addKeys(keys, commands)
	return slices.SortedFunc(maps.Values(keys), func(a, b settings.Key) int { return cmp.Compare(a.Name, b.Name) })
}

func addKeys(keys map[string]settings.Key, commands []*cli.Command) {
	for _, c := range commands {
		addKeys(keys, c.Subcommands)
		for _, f := range c.Flags {
			if k := keyOf(f); k.Variable != "" {
				keys[k.Name] = k
			}
		}
	}
}

// keyNamed returns the key of a name. Its default is unknown.
func keyNamed(name string) settings.Key {
	return settings.Key{Name: name, Variable: cmp.Or(append([]string{withoutFlag[name]}, envVar(name)...)...)}
}

// keyOf returns the key of a flag. The framework knows the default only of a
// flag that it has not yet met in the environment: one of a new tree.
func keyOf(f cli.Flag) settings.Key {
	k := settings.Key{Name: f.Names()[0]}
	d, ok := f.(cli.DocGenerationFlag)
	if !ok {
		return k
	}
	if variables := d.GetEnvVars(); len(variables) > 0 {
		k.Variable = variables[0]
	}
	switch f := f.(type) {
	case *cli.BoolFlag:
		k.Default = strconv.FormatBool(f.Value)
	case *cli.StringSliceFlag:
		k.List = true
	default:
		k.Default = d.GetValue()
	}
	return k
}

// key returns the key of a name. This command may lack its flag.
func (e *env) key(name string) settings.Key {
	if f := findFlag(e.line.flags(), name); f != nil {
		return keyOf(f)
	}
	return keyNamed(name)
}

// readConfig reads the configuration file; nil if there is none.
func (e *env) readConfig() (*settings.File, error) {
	return settings.Load(e.getenv, func() []settings.Key { return knownKeys(newApp(e).Commands) })
}

// settings returns what finds the value of each setting for this command.
func (e *env) settings() settings.Settings {
	return settings.Settings{Typed: e.line.values, Getenv: e.getenv, File: e.file, Profiles: e.profiles}
}

// applySettings gives the flags that were not given, on the command line or by
// the environment, the values of the configuration file.
func (e *env) applySettings(c *cli.Context) error {
	if e.file == nil {
		return nil
	}
	s := e.settings()
	for _, f := range c.Command.Flags {
		v, err := s.Get(keyOf(f))
		if err != nil {
			return err
		}
		if v.Configured() {
			if err := setFlag(c.Set, v); err != nil {
				return err
			}
		}
	}
	for name := range withoutFlag {
		if _, err := s.Get(keyNamed(name)); err != nil {
			return err
		}
	}
	return nil
}

// setFlag sets a flag to a value.
func setFlag(set func(name, value string) error, v settings.Value) error {
	for _, text := range v.Texts {
		if err := set(v.Name, text); err != nil {
			if v.Configured() {
				return v.Invalid(text, err)
			}
			return usageError{err}
		}
	}
	return nil
}

// forProfile returns the options of one profile of several that a command works
// on, and an env for it.
func (e *env) forProfile(name string) (*env, *common, error) {
	own := *e
	own.profiles = []string{name}
	o, err := commonOptions(own.settings())
	return &own, o, err
}

// commonOptions returns the options that every command has, as the settings have
// them.
func commonOptions(s settings.Settings) (*common, error) {
	o := new(common)
	set := flag.NewFlagSet("", flag.ContinueOnError)
	for _, f := range o.flags() {
		v, err := s.Get(keyOf(f))
		if err != nil {
			return nil, err
		}
		if err := f.Apply(set); err != nil {
			return nil, usageError{err}
		}
		if err := setFlag(set.Set, v); err != nil {
			return nil, err
		}
	}
	return o, nil
}

// profilesOf returns the profiles among a command's arguments.
func profilesOf(c *cli.Command, args []string) []string {
	switch {
	case len(args) == 0:
		return nil
	case strings.HasPrefix(c.ArgsUsage, "NAME..."):
		return args
	case strings.HasPrefix(c.ArgsUsage, nameOrURL):
		profile, server, err := parseTarget(args)
		if err == nil && profile == "" {
			profile = profilename.Base(server) // where the store has another name, that one is in no table
		}
		return []string{profile}
	case strings.HasPrefix(c.ArgsUsage, "NAME"), strings.HasPrefix(c.ArgsUsage, "[NAME]"):
		return args[:1]
	}
	return nil
}

// setting returns the value of a setting, "" if there is none.
func (e *env) setting(name string) string {
	v, err := e.settings().Get(e.key(name))
	if err != nil {
		return "" // applySettings has refused profiles that differ
	}
	return v.Text()
}

// configured returns the value in the configuration file, "" if there is none or
// the environment has one.
func (e *env) configured(name string) string {
	v, err := e.settings().Get(keyNamed(name))
	if err != nil || !v.Configured() {
		return ""
	}
	return v.Text()
}
