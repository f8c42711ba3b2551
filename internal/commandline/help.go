package commandline

import (
	"strings"

	"github.com/mcp-login/mcp-login/internal/help"
	"github.com/mcp-login/mcp-login/internal/terminal"
)

// Help returns the --help text of a command, given its parent commands.
func (c *Command) Help(path string) help.Command {
	d := help.Command{
		Name: path + " " + c.Name, Summary: c.About, About: c.Description, Group: c.Group, Often: c.Often,
		Usage: strings.TrimPrefix(c.Args+" [flags]", " "), Examples: strings.Split(c.Example, "\n"),
	}
	if before, _, found := strings.Cut(c.Args, Program); found { // flags after the program belong to the program
		d.Usage = before + "[flags] -- " + Program
	}
	for _, f := range c.Flags {
		d.Flags = append(d.Flags, f.Help())
	}
	for _, below := range c.Commands {
		d.Commands = append(d.Commands, below.Help(d.Name))
	}
	return d
}

// Help describes a program of these commands, given a description of itself.
func (t Tree) Help(itself help.Command) help.Program {
	p := help.Program{Command: itself}
	for _, c := range t.Commands {
		p.Commands = append(p.Commands, c.Help(itself.Name))
	}
	return p
}

// Asked returns the help that a line requests, for a width in columns.
func (l *Line) Asked(p help.Program, columns int) *terminal.Text {
	switch {
	case l.Command == nil:
		return p.All(columns)
	case l.HelpAll:
		return p.Full(l.Command.Help(l.above(p.Name)), columns)
	}
	return p.Short(l.Command.Help(l.above(p.Name)), columns)
}

// above returns the names before that of the command.
func (l *Line) above(program string) string {
	return strings.Join(append([]string{program}, l.Path[:len(l.Path)-1]...), " ")
}
