package manpage

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mcp-login/mcp-login/internal/commandline"
	"github.com/mcp-login/mcp-login/internal/exit"
	"github.com/mcp-login/mcp-login/internal/help"
)

// Manual is the content of the manual page.
type Manual struct {
	Version, Day      string
	Summary, Synopsis string
	Groups            []string // of commands
	Tree              commandline.Tree
}

// Text writes the manual as man(7) text.
func (m Manual) Text() []byte {
	var p Page
	p.Request("TH", "MCP-LOGIN", "1", m.Day, "mcp-login "+m.Version, "User Commands")
	p.Request("SH", "NAME")
	p.Text("mcp-login - " + m.Summary)
	p.Request("SH", "SYNOPSIS")
	p.Lines(m.Synopsis)
	p.Request("SH", "DESCRIPTION")
	p.Text("Gets an OAuth token for an MCP server on a machine without a browser, refreshes it, keeps it encrypted, and passes it to the programs that need it.")
	p.Request("PP")
	p.Text("Data goes to standard output, messages to standard error. A command that fails prints nothing to standard output, except env: it prints a command that fails with the same exit code, for the shell that evaluates its output. " +
		"Flags go before or after the arguments, but before the command line of a program to run. Most have an environment variable, shown with the flag.")
	for _, group := range m.Groups {
		p.Request("SH", strings.ToUpper(group))
		p.commands("", slices.DeleteFunc(slices.Clone(m.Tree.Commands), func(c *commandline.Command) bool { return c.Group != group }), m.Tree.Flags)
	}
	p.Request("SH", "COMMON FLAGS")
	p.flags(m.Tree.Flags)
	p.Request("SH", "EXIT STATUS")
	for _, x := range exit.Meanings() {
		p.Term(fmt.Sprint(x.Code), x.Text)
	}
	p.Request("SH", "FILES")
	p.Term("$XDG_DATA_HOME/mcp-login", "the default store of credentials, encrypted; ~/.local/share/mcp-login if that variable is not set")
	p.Term("$XDG_STATE_HOME/mcp-login/keys", "its key, if the keeper is key-file; ~/.local/state/mcp-login/keys")
	p.Term("$XDG_CONFIG_HOME/mcp-login/config.toml", "the configuration; ~/.config/mcp-login/config.toml, or the file in MCP_LOGIN_CONFIG")
	return p.Bytes()
}

// commands describes what can be run, groups by their members, with the flags that
// not every command has.
func (p *Page) commands(path string, commands []*commandline.Command, common []commandline.Flag) {
	for _, c := range commands {
		name := path + c.Name
		if !c.Runs() {
			p.commands(name+" ", c.Commands, common)
			continue
		}
		p.Request("SS", strings.TrimSpace(name+" "+c.Args))
		p.Text(sentence(c.About))
		for paragraph := range strings.SplitSeq(c.Description, "\n\n") {
			if paragraph != "" {
				p.Text(paragraph)
			}
			p.Request("PP")
		}
		p.Lines(c.Example)
		p.flags(slices.DeleteFunc(slices.Clone(c.Flags), func(f commandline.Flag) bool {
			return slices.ContainsFunc(common, func(g commandline.Flag) bool { return g.Name == f.Name })
		}))
		p.commands(name+" ", c.Commands, common)
	}
}

// sentence makes one of a phrase.
func sentence(s string) string { return strings.ToUpper(s[:1]) + s[1:] + "." }

// withVariable is what a flag does, with its default and environment variable.
func withVariable(f help.Flag) string {
	if f.Variable == "" {
		return f.Text()
	}
	return f.Text() + " [$" + f.Variable + "]"
}

// flags describes each flag as --help does.
func (p *Page) flags(flags []commandline.Flag) {
	for _, f := range flags {
		d := f.Help()
		p.Term(d.Term(), withVariable(d))
	}
}
