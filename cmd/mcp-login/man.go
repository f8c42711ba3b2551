package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/mcp-login/mcp-login/internal/help"
	"github.com/mcp-login/mcp-login/internal/manpage"
)

func newMan(e *env) *cli.Command {
	var o common
	return e.command(&cli.Command{
		Name: "man", Usage: "Print the manual page",
		UsageText:   "mcp-login man | man -l -",
		Description: "It has the text of --help. To install it: mcp-login man > /usr/local/share/man/man1/mcp-login.1",
	}, &o, func(context.Context, []string) error { return e.answerData(manual(newApp(e))) })
}

// exitCodes are what the manual says of them.
var exitCodes = []struct {
	code    int
	meaning string
}{
	{exitDone, "done"},
	{exitFailed, "failed"},
	{exitUsage, "called wrongly"},
	{exitTemporary, "temporary: the network, or the server is overloaded; try again"},
	{exitLoginRequired, "login required; the hint is the command to run"},
	{exitDenied, "denied by the person or the server"},
	{exitTimedOut, "not approved in time"},
	{exitStore, "the store is unavailable or cannot be decrypted"},
	{exitInterrupted, "interrupted"},
}

// manual writes the command tree as man(7) text.
func manual(app *cli.App) []byte {
	var p page
	p.Request("TH", "MCP-LOGIN", "1", sourceRevision().day(), "mcp-login "+versionName(), "User Commands")
	p.Request("SH", "NAME")
	p.Text("mcp-login - " + app.Usage)
	p.Request("SH", "SYNOPSIS")
	p.Lines(app.UsageText)
	p.Request("SH", "DESCRIPTION")
	p.Text("Gets an OAuth token for an MCP server on a machine without a browser, keeps it fresh and safe, and passes it to the programs that need it.")
	p.Request("PP")
	p.Text("Standard output is data, standard error is for people. A command that fails leaves standard output empty; only env prints a command that fails with the same exit code, for the shell that evaluates its output. " +
		"Flags go before or after the arguments, but before the command line of a program to run. Most have an environment variable, which is shown with the flag.")
	for _, group := range []string{groupSignIn, groupTokens, groupServe, groupSetUp} {
		p.Request("SH", strings.ToUpper(group))
		p.commands("", slices.DeleteFunc(slices.Clone(app.Commands), func(c *cli.Command) bool { return c.Category != group }))
	}
	p.Request("SH", "COMMON FLAGS")
	p.flags(new(common).flags())
	p.Request("SH", "EXIT STATUS")
	for _, x := range exitCodes {
		p.Term(fmt.Sprint(x.code), x.meaning)
	}
	p.Request("SH", "FILES")
	p.Term("$XDG_DATA_HOME/mcp-login", "the default store of credentials, encrypted; ~/.local/share/mcp-login where that variable is not set")
	p.Term("$XDG_STATE_HOME/mcp-login/keys", "its key, if the keeper is key-file; ~/.local/state/mcp-login/keys")
	p.Term("$XDG_CONFIG_HOME/mcp-login/config.toml", "the configuration; ~/.config/mcp-login/config.toml, or what MCP_LOGIN_CONFIG names")
	return p.Bytes()
}

// page is the manual as it is written.
type page struct{ manpage.Page }

// commands describes what can be run, groups by their members.
func (p *page) commands(path string, commands []*cli.Command) {
	for _, c := range commands {
		name := path + c.Name
		if len(c.Subcommands) > 0 {
			p.commands(name+" ", c.Subcommands)
			continue
		}
		p.Request("SS", strings.TrimSpace(name+" "+c.ArgsUsage))
		p.Text(sentence(c.Usage))
		if c.Description != "" {
			p.Text(c.Description)
		}
		p.Request("PP")
		p.Lines(c.UsageText)
		p.flags(slices.DeleteFunc(slices.Clone(c.Flags), isCommon))
	}
}

// sentence makes one of a phrase.
func sentence(s string) string { return strings.ToUpper(s[:1]) + s[1:] + "." }

func isCommon(f cli.Flag) bool {
	return slices.ContainsFunc(new(common).flags(), func(g cli.Flag) bool { return g.Names()[0] == f.Names()[0] })
}

// withVariable is what a flag does, with its default and environment variable.
func withVariable(f help.Flag) string {
	if f.Variable == "" {
		return f.Text()
	}
	return f.Text() + " [$" + f.Variable + "]"
}

// flags describes each flag as --help does.
func (p *page) flags(flags []cli.Flag) {
	for _, f := range flags {
		d := describeFlag(f)
		p.Term(d.Term(), withVariable(d))
	}
}
