package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

func newMan(e *env) *cli.Command {
	var o common
	return e.command(&cli.Command{
		Name: "man", Usage: "print the manual page",
		UsageText:   "mcp-login man | man -l -",
		Description: "It is made of what --help shows. To install it: mcp-login man > /usr/local/share/man/man1/mcp-login.1",
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
	p.request("TH", "MCP-LOGIN", "1", sourceRevision().day(), "mcp-login "+versionName(), "User Commands")
	p.request("SH", "NAME")
	p.text("mcp-login - " + app.Usage)
	p.request("SH", "SYNOPSIS")
	p.lines(app.UsageText)
	p.request("SH", "DESCRIPTION")
	p.text("Gets an OAuth token for an MCP server on a machine without a browser, keeps it fresh and safe, and hands it to whatever needs it.")
	p.request("PP")
	p.text("Standard output is data, standard error is for people. A command that fails leaves standard output empty. " +
		"Flags stand before or after the arguments, but before the command line of a program to run; most have an environment variable, which is named with them.")
	p.request("SH", "COMMANDS")
	p.commands("", app.Commands)
	p.request("SH", "COMMON FLAGS")
	p.flags(new(common).flags())
	p.request("SH", "EXIT STATUS")
	for _, x := range exitCodes {
		p.term(fmt.Sprint(x.code), x.meaning)
	}
	p.request("SH", "FILES")
	p.term("$XDG_DATA_HOME/mcp-login", "the default store of credentials, encrypted; ~/.local/share/mcp-login where that variable is not set")
	p.term("$XDG_STATE_HOME/mcp-login/keys", "its key, unless another keeper has it; ~/.local/state/mcp-login/keys")
	p.term("$XDG_CONFIG_HOME/mcp-login/config.toml", "the configuration; ~/.config/mcp-login/config.toml, or what MCP_LOGIN_CONFIG names")
	return p.Bytes()
}

// page is man(7) text as it is written.
type page struct{ bytes.Buffer }

// commands describes what can be run, groups by their members.
func (p *page) commands(path string, commands []*cli.Command) {
	for _, c := range commands {
		name := path + c.Name
		if len(c.Subcommands) > 0 {
			p.commands(name+" ", c.Subcommands)
			continue
		}
		p.request("SS", strings.TrimSpace(name+" "+c.ArgsUsage))
		p.text(sentence(c.Usage))
		if c.Description != "" {
			p.text(c.Description)
		}
		p.request("PP")
		p.lines(c.UsageText)
		p.flags(slices.DeleteFunc(slices.Clone(c.Flags), isCommon))
	}
}

// sentence makes one of a phrase.
func sentence(s string) string { return strings.ToUpper(s[:1]) + s[1:] + "." }

func isCommon(f cli.Flag) bool {
	return slices.ContainsFunc(new(common).flags(), func(g cli.Flag) bool { return g.Names()[0] == f.Names()[0] })
}

// flags tells of each what --help does.
func (p *page) flags(flags []cli.Flag) {
	for _, f := range flags {
		names, about, _ := strings.Cut(f.String(), "\t")
		p.term(names, cmp.Or(about, names))
	}
}

// term is a tagged paragraph.
func (p *page) term(tag, about string) {
	p.request("TP")
	p.request("B", tag)
	p.text(about)
}

// lines shows an example as it is.
func (p *page) lines(lines string) {
	p.request("RS", "4")
	p.request("nf")
	for line := range strings.Lines(lines) {
		p.text(strings.TrimRight(line, "\n"))
	}
	p.request("fi")
	p.request("RE")
}

// request writes a control line.
func (p *page) request(name string, args ...string) {
	p.WriteString("." + name)
	for _, arg := range args {
		p.WriteString(` "` + roff.Replace(arg) + `"`)
	}
	p.WriteByte('\n')
}

// text writes a text line.
func (p *page) text(s string) {
	s = roff.Replace(s)
	if strings.HasPrefix(s, ".") {
		s = `\&` + s
	}
	p.WriteString(s + "\n")
}

// roff writes what has a meaning in roff, or another shape on paper, as the
// very character: man(7), "Portability" and groff_char(7).
var roff = strings.NewReplacer(`\`, `\e`, `"`, `\(dq`, `'`, `\(aq`, "`", `\(ga`, "-", `\-`, "^", `\(ha`, "~", `\(ti`)
