package main

import (
	"context"
	"errors"
	"os"

	"github.com/urfave/cli/v2"

	"github.com/mcp-login/mcp-login/internal/manpage"
	"github.com/mcp-login/mcp-login/internal/variables"
)

func newMan(e *call) *cli.Command {
	var o common
	return e.command(&cli.Command{
		Name: "man", Usage: "Show the manual page",
		UsageText: "mcp-login man",
		Description: "At a terminal it runs man, with the pager of MANPAGER or PAGER; without man it shows mcp-login help. " +
			"Otherwise it prints the page. To install it: mcp-login man > /usr/local/share/man/man1/mcp-login.1",
	}, &o, func(ctx context.Context, _ []string) error { return runMan(ctx, e) })
}

func runMan(ctx context.Context, e *call) error {
	tree := allCommands(e)
	if !e.streams().OutIsTerminal() {
		return e.answerData(manual(tree))
	}
	err := manpage.Show(ctx, manual(tree), e.out, variables.Public(os.Environ()))
	if errors.Is(err, manpage.ErrNoReader) {
		e.say("%v; this is mcp-login help", err)
		return e.answerText(helpOf(tree).All(e.streams().Columns()))
	}
	return err
}

// manual writes the command tree as man(7) text.
func manual(tree []*cli.Command) []byte {
	build := buildOf()
	return manpage.Manual{Version: build.Version, Day: build.Day(), Summary: summary, Synopsis: usageText(), Groups: []string{groupSignIn, groupTokens, groupServe, groupSetUp}, Tree: treeOf(tree)}.Text()
}
