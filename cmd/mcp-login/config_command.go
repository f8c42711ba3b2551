package main

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/mcp-login/mcp-login/internal/terminal"
)

func newConfig(e *env) *cli.Command {
	return group("config", "tell how this program is configured", []*cli.Command{newConfigShow(e)})
}

type configShowOptions struct {
	common
	json bool
}

func newConfigShow(e *env) *cli.Command {
	var o configShowOptions
	c := &cli.Command{
		Name: "show", Usage: "print every setting and where it comes from",
		ArgsUsage: "[NAME]", UsageText: "mcp-login config show notion",
		Description: "With NAME, as it holds for that profile. The order is: flag, environment, the table [profile.NAME] of the configuration file, the rest of it, the default.",
		Flags:       []cli.Flag{boolFlag("json", "as JSON", &o.json)},
	}
	e.command(c, &o.common, func(context.Context, []string) error {
		return runConfigShow(e, o, keysOf(newApp(e).Commands))
	})
	return c
}

// value is one setting and its origin. As JSON it is a contract: it is added
// to, never changed.
type value struct {
	Key    string `json:"key"`
	Value  string `json:"value"`
	Origin string `json:"origin"`           // flag, environment, profile, global or default
	Source string `json:"source,omitempty"` // the variable, or the file and line
}

func runConfigShow(e *env, o configShowOptions, keys map[string]cli.Flag) error {
	var values []value
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		v, err := e.value(key, keys[key])
		if err != nil {
			return err
		}
		values = append(values, v)
	}
	if o.json {
		return e.answerJSON(values)
	}
	if path, _, err := e.configFile(); err == nil {
		state := ""
		if e.settings == nil {
			state = ", which does not exist"
		}
		e.say("configuration: %s%s", path, state)
	}
	return e.answer(valuesText(values))
}

// value finds a setting as a command does.
func (e *env) value(key string, f cli.Flag) (value, error) {
	v := value{Key: key, Origin: "default"}
	variable := withoutFlag[key]
	if f != nil {
		variable = f.(cli.DocGenerationFlag).GetEnvVars()[0] // keysOf takes no others
		v.Value = defaultOf(f)
	}
	if text, ok := e.line.value(key); ok {
		v.Value, v.Origin = text, "flag"
		return v, nil
	}
	if text := e.getenv(variable); text != "" {
		v.Value, v.Origin, v.Source = text, "environment", variable
		return v, nil
	}
	set, found, err := e.settings.lookup(key)
	if err != nil || !found {
		return v, err
	}
	v.Value, v.Origin, v.Source = strings.Join(set.values, " "), "global", e.settings.path+":"+strconv.Itoa(set.line)
	if set.profile != "" {
		v.Origin = "profile"
	}
	return v, nil
}

// defaultOf returns a flag's default, which the framework knows only of flags
// that it has not yet met in the environment: those of a new tree.
func defaultOf(f cli.Flag) string {
	switch f := f.(type) {
	case *cli.BoolFlag:
		return strconv.FormatBool(f.Value)
	case *cli.StringSliceFlag:
		return ""
	}
	return f.(cli.DocGenerationFlag).GetValue() // keysOf takes no others
}

func valuesText(values []value) string {
	var t terminal.Table
	for _, v := range values {
		text, origin := v.Value, v.Origin
		if text == "" {
			text = "-"
		}
		if v.Source != "" {
			origin += " " + v.Source
		}
		t.Row(v.Key, text, origin)
	}
	return t.String()
}
