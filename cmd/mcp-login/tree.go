package main

import (
	"slices"
	"strconv"

	"github.com/urfave/cli/v2"

	"github.com/mcp-login/mcp-login/internal/commandline"
	"github.com/mcp-login/mcp-login/internal/help"
	"github.com/mcp-login/mcp-login/internal/settings"
)

// treeOf translates commands of the framework for the rooms that must not know
// it.
func treeOf(commands []*cli.Command) commandline.Tree {
	return commandline.Tree{Commands: describeCommands(commands), Flags: describeFlags(new(common).flags())}
}

func describeCommands(commands []*cli.Command) (all []*commandline.Command) {
	for _, c := range commands {
		all = append(all, &commandline.Command{
			Name: c.Name, About: c.Usage, Args: c.ArgsUsage, Hidden: c.Hidden, Description: c.Description, Example: c.UsageText, Group: c.Category,
			Flags: describeFlags(c.Flags), Commands: describeCommands(c.Subcommands),
		})
	}
	return all
}

func describeFlags(flags []cli.Flag) (all []commandline.Flag) {
	for _, f := range flags {
		_, isBool := f.(*cli.BoolFlag)
		all = append(all, commandline.Flag{
			Key: keyOf(f), Bool: isBool, Check: func(text string) error { return readable(f, text) },
			Help: func() help.Flag { return describeFlag(f) },
		})
	}
	return all
}

// keyOf returns the setting that a flag is. The framework knows the default only
// of a flag that it has not yet met in the environment: one of a new tree.
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

// commandAt returns the command of a path of names; nil: there is none.
func commandAt(commands []*cli.Command, path []string) (found *cli.Command) {
	for _, name := range path {
		i := slices.IndexFunc(commands, func(c *cli.Command) bool { return c.Name == name })
		if i < 0 {
			return nil
		}
		found, commands = commands[i], commands[i].Subcommands
	}
	return found
}
