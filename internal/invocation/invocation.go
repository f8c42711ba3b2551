// Package invocation describes one run of a command: what was typed, and what the
// environment and the configuration file add to it. It must not know the framework
// that parses flags, nor how a command uses its settings.
package invocation

import (
	"context"
	"errors"
	"slices"
	"strconv"

	"github.com/mcp-login/mcp-login/internal/commandline"
	"github.com/mcp-login/mcp-login/internal/exit"
	"github.com/mcp-login/mcp-login/internal/remedy"
	"github.com/mcp-login/mcp-login/internal/secretref"
	"github.com/mcp-login/mcp-login/internal/settings"
	"github.com/mcp-login/mcp-login/internal/variables"
)

// The flags that this package knows.
const (
	AgentFlag = "agent-sock"
	AlsoFlag  = "also"
)

// AgentVariable is the environment variable of AgentFlag.
const AgentVariable = "MCP_LOGIN_AGENT_SOCK"

// Invocation is one run of a command. It is immutable.
type Invocation struct {
	Line     commandline.Line
	Getenv   func(string) string
	File     *settings.File // nil: none
	Profiles []string       // whose tables of the file apply
}

// New returns the run of a line. Load reads the configuration file. The tables of
// the profiles in the line apply.
func New(line commandline.Line, getenv func(string) string, read func() (*settings.File, error)) (Invocation, error) {
	i := Invocation{Line: line, Getenv: getenv}
	also, err := i.Settings().Get(i.key(AlsoFlag))
	if err == nil {
		i.File, err = read()
	}
	if err == nil && i.File != nil {
		i.Profiles = slices.Concat(line.Profiles(), also.Texts)
	}
	return i, err
}

// Settings returns the settings of this run.
func (i Invocation) Settings() settings.Settings {
	return settings.Settings{Typed: i.Line.Values, Getenv: i.Getenv, File: i.File, Profiles: i.Profiles}
}

// key returns the key of a name. This command may lack its flag.
func (i Invocation) key(name string) settings.Key {
	if f, found := i.Line.Find(name); found {
		return f.Key
	}
	return variables.Key(name)
}

// Setting returns the value of a setting, "" if there is none.
func (i Invocation) Setting(name string) string {
	v, err := i.Settings().Get(i.key(name))
	if err != nil {
		return "" // different values were rejected at the start
	}
	return v.Text()
}

// Configured returns the value in the configuration file, "" if there is none or
// the environment has one.
func (i Invocation) Configured(name string) string {
	v, err := i.Settings().Get(variables.Key(name))
	if err != nil || !v.Configured() {
		return ""
	}
	return v.Text()
}

// Typed reports whether a flag was typed.
func (i Invocation) Typed(flag string) bool {
	_, typed := i.Line.Value(flag)
	return typed
}

// Given returns the typed ones of the flags, with their effective values.
func (i Invocation) Given(flags []commandline.Flag) (words []string) {
	for _, f := range flags {
		if text, ok := i.Line.Value(f.Name); ok {
			words = append(words, "--"+f.Name, text)
		}
	}
	return words
}

// Chosen reports whether the value of a flag is not the default.
func (i Invocation) Chosen(flag string) bool {
	v, err := i.Settings().Get(i.key(flag))
	return err == nil && v.Origin != settings.Default
}

// Agree asks for confirmation, unless --yes was typed. Without confirmation,
// the error says what was not done.
func (i Invocation) Agree(ctx context.Context, confirm func(ctx context.Context, question string) (bool, error), question, undone string) error {
	typed, _ := i.Line.Value("yes")
	if yes, _ := strconv.ParseBool(typed); yes {
		return nil
	}
	agreed, err := confirm(ctx, question+" [y/N] ")
	switch {
	case errors.Is(err, secretref.ErrNoTerminal):
		return &exit.Error{Code: exit.Failed, Text: undone + ": a terminal is required to confirm", Hint: i.Line.With("--yes").String()}
	case err == nil && !agreed:
		return &exit.Error{Code: exit.Denied, Text: undone}
	}
	return err
}

// Agent returns the socket of the agent that this command uses instead of the store;
// "": it uses the store.
func (i Invocation) Agent() string {
	if !i.Line.Takes(AgentFlag) {
		return ""
	}
	return i.Setting(AgentFlag)
}

// Again returns the flags that a suggested command must repeat, to reach the same
// store or agent and, for a login, to sign in the same way.
func (i Invocation) Again() []string {
	if sock := i.Agent(); sock != "" {
		return []string{"--" + AgentFlag, Absolute(sock)}
	}
	flags := i.StoreFlags()
	if i.Line.Starts("login") {
		flags = append(flags, i.Line.Repeated(i.Line.Own(), "add-scope", "json", "force", "no-qr", "copy", "wait")...)
	}
	return flags
}

// StoreFlags returns the flags that a suggested command must repeat to reach the
// same store. The configuration applies to that command too.
func (i Invocation) StoreFlags() []string {
	var words []string
	for _, name := range []string{"store", "profile-dir", "keeper", "ca-cert", "expect-issuer", "expect-audience"} {
		v, err := i.Settings().Get(variables.Key(name))
		if text := v.Text(); err == nil && text != "" && !v.Configured() {
			words = append(words, "--"+name, text)
		}
	}
	return words
}

// Remedy returns the remedy.Call for errors of this run.
func (i Invocation) Remedy() remedy.Call {
	return remedy.Call{Line: i.Line, Flags: i.Again(), Asks: i.Agent() != "", Socket: i.Getenv(AgentVariable), StoreFlags: i.StoreFlags()}
}
