package main

import (
	"context"

	"github.com/urfave/cli/v2"

	"github.com/mcp-login/mcp-login/internal/manpage"
)

func newMan(e *call) *cli.Command {
	var o common
	return e.command(&cli.Command{
		Name: "man", Usage: "Print the manual page",
		UsageText:   "mcp-login man | man -l -",
		Description: "It has the text of --help. To install it: mcp-login man > /usr/local/share/man/man1/mcp-login.1",
	}, &o, func(context.Context, []string) error { return e.answerData(manual(newApp(e))) })
}

// manual writes the command tree as man(7) text.
func manual(app *cli.App) []byte {
	build := buildOf()
	return manpage.Manual{Version: build.Version, Day: build.Day(), Summary: app.Usage, Synopsis: app.UsageText, Groups: []string{groupSignIn, groupTokens, groupServe, groupSetUp}, Tree: treeOf(app.Commands)}.Text()
}
