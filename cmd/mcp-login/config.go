package main

import (
	"context"

	"github.com/urfave/cli/v2"

	"github.com/mcp-login/mcp-login/internal/report"
	"github.com/mcp-login/mcp-login/internal/settings"
)

func newConfig(e *call) *cli.Command {
	return group("config", "Show the configuration", []*cli.Command{newConfigShow(e)})
}

type configShowOptions struct {
	common
	json bool
}

func newConfigShow(e *call) *cli.Command {
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

func runConfigShow(e *call, o configShowOptions, keys []settings.Key) error {
	var values report.Settings
	for _, key := range keys {
		v, err := e.Settings().Get(key)
		if err != nil {
			return err
		}
		values = append(values, report.SettingOf(v))
	}
	if o.json {
		return e.answerJSON(values)
	}
	if path, _, err := settings.Find(e.getenv); err == nil {
		state := ""
		if e.File == nil {
			state = ", which does not exist"
		}
		e.say("configuration: %s%s", path, state)
	}
	return e.answer(values.Text())
}
