package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
	"github.com/urfave/cli/v2"
)

// settings is the configuration file. Its keys are the names of flags, for all
// profiles or in a table [profile.NAME]. A nil *settings says nothing.
type settings struct {
	path     string
	global   map[string]setting
	profiles map[string]map[string]setting
	using    []string // profiles whose tables hold for this command
}

// setting is what the file says of one key.
type setting struct {
	values  []string // more than one only in a list
	line    int
	profile string // whose table it is in; "": none
}

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

const maxConfig = 1 << 20

// configFile is where the configuration is, and whether it was asked for by
// name and so must be there.
func (e *env) configFile() (path string, named bool, err error) {
	if path := e.getenv("MCP_LOGIN_CONFIG"); path != "" {
		return path, true, nil
	}
	dir, err := e.dirs().Config()
	return filepath.Join(dir, "config.toml"), false, err
}

// readSettings reads the configuration file; nil if there is none. All that a
// command pays for having none is one open.
func (e *env) readSettings() (*settings, error) {
	path, named, err := e.configFile()
	if err != nil {
		return nil, nil // without a home folder there is no file, and nil says nothing
	}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) && !named {
		return nil, nil
	}
	if err != nil {
		return nil, &codeError{code: exitUsage, text: fmt.Sprintf("configuration: %v", err), hint: whoseFolder(err)}
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, configError("%v", err)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxConfig))
	if err != nil {
		return nil, configError("%v", err)
	}
	s := &settings{path: path}
	if err := s.parse(text, keysOf(newApp(e).Commands)); err != nil {
		return nil, err
	}
	return s, s.trust(info)
}

// configError ends a command whose configuration cannot be used.
func configError(format string, a ...any) error {
	return &codeError{code: exitUsage, text: "configuration: " + fmt.Sprintf(format, a...)}
}

// keysOf returns the flags that may stand in the file, by name: those that have
// an environment variable.
func keysOf(commands []*cli.Command) map[string]cli.Flag {
	keys := map[string]cli.Flag{}
	for key := range withoutFlag {
		keys[key] = nil
	}
	for _, c := range commands {
		maps.Copy(keys, keysOf(c.Subcommands))
		for _, f := range c.Flags {
			if d, ok := f.(cli.DocGenerationFlag); ok && len(d.GetEnvVars()) > 0 {
				keys[f.Names()[0]] = f
			}
		}
	}
	return keys
}

// parse reads the file twice: as a whole, for mistakes of syntax, and then key
// by key, so that each setting knows its line.
func (s *settings) parse(text []byte, keys map[string]cli.Flag) error {
	var whole map[string]any
	if err := toml.Unmarshal(text, &whole); err != nil {
		if at, ok := errors.AsType[*toml.DecodeError](err); ok {
			line, _ := at.Position()
			return configError("%s:%d: %v", s.path, line, err)
		}
		return configError("%s: %v", s.path, err)
	}
	s.global, s.profiles = map[string]setting{}, map[string]map[string]setting{}
	var p unstable.Parser
	p.Reset(text)
	var table []string
	for p.NextExpression() {
		x := p.Expression()
		path, line := position(&p, x)
		var err error
		if x.Kind == unstable.KeyValue {
			err = s.add(append(slices.Clone(table), path...), x.Value(), line, keys)
		} else if table = path; x.Kind != unstable.Table || path[0] != "profile" || len(path) != 2 {
			err = errors.New("give tables such as [profile.notion] only")
		}
		if err != nil {
			return configError("%s:%d: %v", s.path, line, err)
		}
	}
	return p.Error()
}

// position returns the key of an expression and its line.
func position(p *unstable.Parser, x *unstable.Node) (path []string, line int) {
	for it := x.Key(); it.Next(); {
		if line == 0 {
			line = p.Shape(it.Node().Raw).Start.Line
		}
		path = append(path, string(it.Node().Data))
	}
	return path, line
}

// add takes one setting, and refuses what is no key or has no plain value.
func (s *settings) add(path []string, v *unstable.Node, line int, keys map[string]cli.Flag) error {
	table, name := s.global, ""
	if len(path) == 3 && path[0] == "profile" {
		name = path[1]
		if s.profiles[name] == nil {
			s.profiles[name] = map[string]setting{}
		}
		table, path = s.profiles[name], path[2:]
	}
	key := path[0]
	if _, known := keys[key]; !known || len(path) > 1 {
		return fmt.Errorf("there is no setting %q", strings.Join(path, "."))
	}
	values, ok := valuesOf(v)
	if !ok {
		return fmt.Errorf("%s: give a text, a number, true, false, or a list of texts", key)
	}
	table[key] = setting{values: values, line: line, profile: name}
	return nil
}

// valuesOf returns a value as a person would type it.
func valuesOf(v *unstable.Node) (values []string, ok bool) {
	switch v.Kind {
	case unstable.String, unstable.Bool, unstable.Integer, unstable.Float:
		return []string{string(v.Data)}, true
	case unstable.Array:
		for it := v.Children(); it.Next(); {
			if it.Node().Kind != unstable.String {
				return nil, false
			}
			values = append(values, string(it.Node().Data))
		}
		return values, true
	}
	return nil, false
}

// trust refuses a file that others could write, and commands in one that
// somebody else wrote: they would run with this user's rights.
func (s *settings) trust(info fs.FileInfo) error {
	whose, err := writers(info)
	if err != nil {
		return configError("%s %v", s.path, err)
	}
	if whose == ours {
		return nil
	}
	return s.noCommands()
}

// noCommands refuses a file that names a command.
func (s *settings) noCommands() error {
	for _, table := range append(slices.Collect(maps.Values(s.profiles)), s.global) {
		for key, set := range table {
			if strings.HasSuffix(key, "-command") || slices.ContainsFunc(set.values, func(v string) bool { return strings.HasPrefix(v, "command:") }) {
				return configError("%s:%d: %s names a command to run, and the file is not yours", s.path, set.line, key)
			}
		}
	}
	return nil
}

// Who may have written a configuration file.
type writer int

const (
	ours   writer = iota // the user who runs this
	system               // root, who can do everything anyway
)
