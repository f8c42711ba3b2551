package main

import (
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/mcp-login/mcp-login/internal/commandline"
	"github.com/mcp-login/mcp-login/internal/help"
	"github.com/mcp-login/mcp-login/internal/printable"
	"github.com/mcp-login/mcp-login/internal/settings"
	"github.com/mcp-login/mcp-login/internal/variables"
)

// The groups of flags. A flag without one is in help.Common.
const (
	groupBrowser    = help.Browser
	groupClient     = help.Client
	groupEnterprise = help.Enterprise
	groupOverrides  = help.Overrides
	groupStore      = help.Store
	groupNetwork    = help.Network
	groupGlobal     = help.Global
)

// grouped puts flags into a group.
func grouped(group string, flags ...cli.Flag) []cli.Flag {
	for _, f := range flags {
		switch f := f.(type) {
		case *cli.StringFlag:
			f.Category = group
		case *cli.BoolFlag:
			f.Category = group
		case *cli.DurationFlag:
			f.Category = group
		case *cli.IntFlag:
			f.Category = group
		case *cli.GenericFlag:
			f.Category = group
		}
	}
	return flags
}

func stringFlag(name, usage, value string, to *string) cli.Flag {
	return &cli.StringFlag{Name: name, Usage: usage, Value: value, Destination: to}
}

func boolFlag(name, usage string, to *bool) cli.Flag {
	return &cli.BoolFlag{Name: name, Usage: usage, Destination: to}
}

func durationFlag(name, usage string, value time.Duration, to *time.Duration) cli.Flag {
	return &cli.DurationFlag{Name: name, Usage: usage, Value: value, Destination: to}
}

func intFlag(name, usage string, value int, to *int) cli.Flag {
	return &cli.IntFlag{Name: name, Usage: usage, Value: value, Destination: to}
}

// listFlag is a repeatable flag. The list has the default.
func listFlag(name, usage string, to *list) cli.Flag {
	return &cli.GenericFlag{Name: name, Usage: usage, Value: to}
}

// list is the value of a repeatable flag. The framework's own lists split values at
// commas, unless its App runs.
type list []string

// Set implements flag.Value: it appends a value.
func (l *list) Set(text string) error {
	*l = append(*l, text)
	return nil
}

// String implements flag.Value.
func (l *list) String() string { return strings.Join(*l, ", ") }

// metricsFlag is the address to serve metrics on.
func metricsFlag(to *string) cli.Flag {
	return stringFlag("metrics-listen", "Serve Prometheus metrics at http://`ADDRESS`/metrics, such as 127.0.0.1:9090. Any program on this machine can read them", "", to)
}

func longFlag(to *bool) cli.Flag { return boolFlag("long", "Show more about each credential", to) }

func jsonFlag(to *bool) cli.Flag { return boolFlag("json", "Print JSON", to) }

// separated splits the values of an option at commas and spaces: its variable can have
// only one value.
func separated(values list) (all []string) {
	for _, value := range values {
		all = append(all, strings.FieldsFunc(value, func(r rune) bool { return r == ',' || r == ' ' })...)
	}
	return all
}

// treeOf converts commands of the framework for packages that must not depend on it.
func treeOf(all []*cli.Command) commandline.Tree {
	often := map[string]bool{}
	for _, c := range commands() {
		often[c.name] = c.often
	}
	tree := commandline.Tree{Commands: describeCommands(all), Flags: describeFlags(new(common).flags())}
	for _, c := range tree.Commands {
		c.Often = often[c.Name]
	}
	return tree
}

func describeCommands(commands []*cli.Command) (all []*commandline.Command) {
	for _, c := range commands {
		all = append(all, &commandline.Command{
			Name: c.Name, About: c.Usage, Args: c.ArgsUsage, Hidden: c.Hidden, Description: c.Description, Example: c.UsageText, Group: c.Category,
			Flags: describeFlags(c.Flags), Commands: describeCommands(c.Subcommands), Adapt: adapters()[c.Name],
		})
	}
	return all
}

func describeFlags(flags []cli.Flag) (all []commandline.Flag) {
	for _, f := range flags {
		all = append(all, describeFlag(f))
	}
	return all
}

// describeFlag returns the description of a flag as a setting. Every start describes the
// flags of its command, and the framework's own methods match patterns, so this reads
// the fields.
func describeFlag(f cli.Flag) commandline.Flag {
	var d commandline.Flag
	var shown string
	switch f := f.(type) {
	case *cli.StringFlag:
		d.Name, d.Default, d.Check, shown = f.Name, f.Value, commandline.CheckText, f.Value
	case *cli.BoolFlag:
		d.Name, d.Default, d.Check, d.Bool = f.Name, strconv.FormatBool(f.Value), commandline.CheckBool, true
	case *cli.DurationFlag:
		shown = printable.Duration(f.Value)
		d.Name, d.Default, d.Check = f.Name, shown, commandline.CheckDuration
	case *cli.IntFlag:
		shown = strconv.Itoa(f.Value)
		d.Name, d.Default, d.Check = f.Name, shown, commandline.CheckNumber
	case *cli.GenericFlag:
		d.Name, d.Check, d.List, shown = f.Name, commandline.CheckText, true, f.Value.String()
	}
	d.Variable = variables.OfFlag(d.Name)
	d.Help = func() help.Flag { return describeHelp(f, d.Key, shown) }
	return d
}

// describeHelp returns the --help text of a flag, with the default if it matters.
func describeHelp(f cli.Flag, key settings.Key, shown string) help.Flag {
	h := help.NewFlag(key.Name, f.(cli.DocGenerationFlag).GetUsage())
	h.Variable = key.Variable
	if group := f.(cli.CategorizableFlag).GetCategory(); group != "" {
		h.Group = group
	}
	if shown != "0" && shown != "0s" && !strings.Contains(h.About, "(default: ") {
		h.Default = shown
	}
	return h
}
