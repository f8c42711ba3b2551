package main

import (
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/mcp-login/mcp-login/internal/commandline"
	"github.com/mcp-login/mcp-login/internal/help"
)

// The groups of commands.
const (
	groupSignIn = "Sign in"
	groupTokens = "Use tokens"
	groupServe  = "Serve"
	groupSetUp  = "Set up"
)

// The groups of flags. A flag without one is in help.Common.
const (
	groupBrowser    = "Browser"
	groupClient     = "Client registration"
	groupEnterprise = "Enterprise and CI"
	groupOverrides  = "Server overrides"
	groupStore      = "Store"
	groupNetwork    = "Network"
	groupGlobal     = "Global"
)

// flagGroups are the groups of flags in the order of the help.
func flagGroups() []string {
	return []string{groupBrowser, groupClient, groupEnterprise, groupOverrides, groupStore, groupNetwork, groupGlobal}
}

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
		case *cli.StringSliceFlag:
			f.Category = group
		}
	}
	return flags
}

// showHelp shows what --help asks for: the whole program or one command. It was
// asked for, so it is the answer.
func showHelp(e *env, app *cli.App, l commandline.Line) error {
	p, cols := describeProgram(app), e.streams().ColumnsOf(e.out)
	c := commandAt(app.Commands, l.Path)
	switch {
	case c == nil:
		return e.answerText(p.All(cols))
	case l.HelpAll:
		return e.answerText(p.Full(describeCommand(c, pathOf(app, l)), cols))
	}
	return e.answerText(p.Short(describeCommand(c, pathOf(app, l)), cols))
}

func pathOf(app *cli.App, l commandline.Line) string {
	return strings.Join(append([]string{app.Name}, l.Path[:len(l.Path)-1]...), " ")
}

// showOverview answers a bare mcp-login. Nobody asked for it, so it goes to
// standard error: under eval "$(...)" an answer would be run as commands.
func showOverview(e *env, app *cli.App) error {
	d := e.streams().Display(e.streams().RawErr())
	return d.Print(describeProgram(app).Overview(e.streams().Columns()))
}

// describeProgram returns what the help says of the program.
func describeProgram(app *cli.App) help.Program {
	p := help.Program{
		Command:    help.Command{Name: app.Name, Summary: app.Usage, Examples: strings.Split(app.UsageText, "\n")},
		FlagGroups: flagGroups(),
	}
	often := map[string]bool{}
	for _, c := range commands() {
		often[c.name] = c.often
	}
	for _, c := range app.Commands {
		d := describeCommand(c, app.Name)
		d.Often = often[c.Name]
		p.Commands = append(p.Commands, d)
	}
	return p
}

// describeCommand returns what the help says of a command, given the names before it.
func describeCommand(c *cli.Command, path string) help.Command {
	d := help.Command{
		Name: path + " " + c.Name, Summary: c.Usage, About: c.Description, Group: c.Category,
		Usage: strings.TrimPrefix(c.ArgsUsage+" [flags]", " "), Examples: strings.Split(c.UsageText, "\n"),
	}
	if before, _, found := strings.Cut(c.ArgsUsage, commandline.Program); found { // behind the program they are the program's
		d.Usage = before + "[flags] -- " + commandline.Program
	}
	for _, f := range c.Flags {
		d.Flags = append(d.Flags, describeFlag(f))
	}
	for _, below := range c.Subcommands {
		d.Commands = append(d.Commands, describeCommand(below, d.Name))
	}
	return d
}

// describeFlag returns what the help says of a flag.
func describeFlag(f cli.Flag) help.Flag {
	doc, ok := f.(cli.DocGenerationFlag)
	if !ok {
		return help.NewFlag(f.Names()[0], "")
	}
	d := help.NewFlag(f.Names()[0], doc.GetUsage())
	if variables := doc.GetEnvVars(); len(variables) > 0 {
		d.Variable = variables[0]
	}
	if c, ok := f.(cli.CategorizableFlag); ok && c.GetCategory() != "" {
		d.Group = c.GetCategory()
	}
	if _, isBool := f.(*cli.BoolFlag); !isBool && !strings.Contains(d.About, "(default: ") {
		d.Default = defaultOf(f, doc.GetValue())
	}
	return d
}

// defaultOf returns a flag's default where it matters.
func defaultOf(f cli.Flag, value string) string {
	switch f := f.(type) {
	case *cli.DurationFlag:
		if f.Value == 0 {
			return ""
		}
		return shortDuration(f.Value)
	case *cli.StringSliceFlag:
		if f.Value == nil {
			return ""
		}
		return strings.Join(f.Value.Value(), ", ")
	}
	if value == "0" {
		return ""
	}
	return value
}

// shortDuration writes a duration as a person types it: 10m, not 10m0s.
func shortDuration(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
