package main

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/mcp-login/mcp-login/internal/terminal"
)

// showHelp shows what --help does, of the whole program or of one command. It
// goes to standard error even if asked for: under eval "$(...)" it would be run
// as commands.
func (e *env) showHelp(app *cli.App, l commandLine) error {
	text := appHelp(app, e.streams().Columns())
	if l.command != nil {
		text = commandHelp(l.command, strings.Join(append([]string{app.Name}, l.path...), " "), e.streams().Columns())
	}
	_, err := fmt.Fprint(e.err, text)
	return err
}

// appHelp shows the program.
func appHelp(app *cli.App, cols int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s - %s\n\nusage:\n", app.Name, app.Usage)
	for line := range strings.Lines(app.UsageText) {
		b.WriteString("  " + line)
	}
	b.WriteString("\n\ncommands:\n")
	listCommands(&b, app.Commands, cols)
	b.WriteString("\nRun `mcp-login COMMAND --help` for details.\n")
	return b.String()
}

// commandHelp shows one command: its line, an example that works if pasted, its
// flags and the flags that every command has.
func commandHelp(c *cli.Command, name string, cols int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s - %s\n", name, c.Usage)
	if len(c.Subcommands) > 0 {
		b.WriteString("\ncommands:\n")
		listCommands(&b, c.Subcommands, cols)
		return b.String()
	}
	usage, place := strings.TrimPrefix(c.ArgsUsage+" ", " ")+"[flags]", "before or after the arguments"
	if before, _, found := strings.Cut(c.ArgsUsage, programUsage); found {
		usage, place = before+"[flags] -- "+programUsage, "before "+programUsage
	}
	fmt.Fprintf(&b, "\nusage:   %s %s\nexample: %s\n", name, usage, c.UsageText)
	if c.Description != "" {
		b.WriteString("\n" + strings.Join(terminal.Wrap(c.Description, cols), "\n") + "\n")
	}
	fmt.Fprintf(&b, "\nflags, %s:\n", place)
	for _, f := range c.Flags {
		names, about, _ := strings.Cut(f.String(), "\t")
		b.WriteString("  " + names + "\n" + indented(cmp.Or(about, names), 6, cols))
	}
	return b.String()
}

// listCommands shows commands beside what they are for.
func listCommands(b *strings.Builder, commands []*cli.Command, cols int) {
	longest := 0
	for _, c := range commands {
		longest = max(longest, len(c.Name))
	}
	for _, c := range commands {
		about := indented(c.Usage, longest+4, cols)
		fmt.Fprintf(b, "  %-*s  %s", longest, c.Name, strings.TrimLeft(about, " "))
	}
}

// indented wraps a text and begins each line with spaces.
func indented(s string, spaces, cols int) string {
	indent := strings.Repeat(" ", spaces)
	return indent + strings.Join(terminal.Wrap(s, max(cols-spaces, 20)), "\n"+indent) + "\n"
}
