package main

import (
	"context"

	"github.com/urfave/cli/v2"

	"github.com/mcp-login/mcp-login/internal/settings"
	"github.com/mcp-login/mcp-login/internal/terminal"
)

func newConfig(e *env) *cli.Command {
	return group("config", "Show the configuration", []*cli.Command{newConfigShow(e)})
}

type configShowOptions struct {
	common
	json bool
}

func newConfigShow(e *env) *cli.Command {
	var o configShowOptions
	c := &cli.Command{
		Name: "show", Usage: "Show every setting and where it comes from",
		ArgsUsage: "[NAME]", UsageText: "mcp-login config show notion",
		Description: "With NAME, the values for that profile. Precedence: flag, environment variable, [profile.NAME] in the configuration file, global setting, default.",
		Flags:       []cli.Flag{boolFlag("json", "Print JSON", &o.json)},
	}
	e.command(c, &o.common, func(context.Context, []string) error {
		return runConfigShow(e, o, knownKeys(newApp(e).Commands))
	})
	return c
}

// value is one setting and its origin. As JSON it is a contract: it is added
// to, never changed.
type value struct {
	Key    string          `json:"key"`
	Value  string          `json:"value"`
	Origin settings.Origin `json:"origin"`
	Source string          `json:"source,omitempty"` // the variable, or the file and line
}

func runConfigShow(e *env, o configShowOptions, keys []settings.Key) error {
	var values []value
	for _, key := range keys {
		v, err := e.settings().Get(key)
		if err != nil {
			return err
		}
		values = append(values, value{v.Name, v.Text(), v.Origin, v.Source})
	}
	if o.json {
		return e.answerJSON(values)
	}
	if path, _, err := settings.Find(e.getenv); err == nil {
		state := ""
		if e.file == nil {
			state = ", which does not exist"
		}
		e.say("configuration: %s%s", path, state)
	}
	return e.answer(valuesText(values))
}

func valuesText(values []value) string {
	var t terminal.Table
	for _, v := range values {
		text, origin := v.Value, string(v.Origin)
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
