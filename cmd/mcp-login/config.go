package main

import (
	"context"

	"github.com/urfave/cli/v2"

	"github.com/mcp-login/mcp-login/internal/invocation"
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
		Description: "With NAME, it shows the values for that profile. Precedence: flag, environment variable, [profile.NAME] in the configuration file, global setting, default.",
		Flags:       []cli.Flag{boolFlag("json", "Print JSON", &o.json)},
	}
	return e.command(c, &o.common, func(ctx context.Context, args []string) error { return runConfigShow(ctx, e, &o, args) })
}

func runConfigShow(ctx context.Context, e *call, o *configShowOptions, names []string) error {
	from, err := e.open(&o.common).Source(ctx, e.getenv(invocation.AgentVariable), false)
	if err == nil && len(names) > 0 {
		err = e.Settings().CheckProfiles(names, func() ([]string, error) { return from.Profiles(ctx) })
	}
	if err != nil {
		return err
	}
	values, err := e.Settings().All(settings.WithPlaces(knownKeys(allCommands(e)), e.getenv))
	if err != nil {
		return err
	}
	if o.json {
		return e.answerJSON(report.SettingsOf(values))
	}
	if where := e.Settings().Report(); where != "" {
		e.say("configuration: %s", e.dirs().Tilde(where))
	}
	return e.answerText(report.SettingsOf(values).Text())
}
