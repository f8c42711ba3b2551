package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/mcp-login/mcp-login/internal/commandline"
	"github.com/mcp-login/mcp-login/internal/exit"
	"github.com/mcp-login/mcp-login/internal/help"
	"github.com/mcp-login/mcp-login/internal/suggest"
	"github.com/mcp-login/mcp-login/internal/variables"
	"github.com/mcp-login/mcp-login/secrets"
)

// The groups of commands.
const (
	groupSignIn = "Sign in"
	groupTokens = "Use tokens"
	groupServe  = "Serve"
	groupSetUp  = "Set up"
)

// commandEntry is a command of the tree's first level.
type commandEntry struct {
	name  string
	make  func(*call) *cli.Command
	group string
	often bool // most people use it
}

// commands are the tree's first level, in the order of the help.
func commands() []commandEntry {
	return []commandEntry{
		{loginName, newLogin, groupSignIn, true}, {"status", newStatus, groupSignIn, true}, {"list", newList, groupSignIn, true},
		{"refresh", newRefresh, groupSignIn, false}, {"logout", newLogout, groupSignIn, true}, {"clear", newClear, groupSignIn, false},
		{"discover", newDiscover, groupSignIn, false}, {"doctor", newDoctor, groupSignIn, true},
		{"ssh", newSSH, groupSignIn, false}, {"browser", newBrowser, groupSignIn, false},
		{envName, newEnv, groupTokens, true}, {execName, newExec, groupTokens, true}, {"headers", newHeaders, groupTokens, true},
		{"token", newToken, groupTokens, false}, {"test", newTest, groupTokens, false},
		{"proxy", newProxy, groupServe, true}, {"agent", newAgent, groupServe, false}, {"relay", newRelay, groupServe, false},
		{"client-config", newClientConfig, groupSetUp, true}, {"completion", newCompletion, groupSetUp, false}, {"hook", newHook, groupSetUp, false},
		{"store", newStore, groupSetUp, false}, {"unlock", newUnlock, groupSetUp, false}, {"lock", newLock, groupSetUp, false},
		{"export", newExport, groupSetUp, false}, {"import", newImport, groupSetUp, false},
		{"config", newConfig, groupSetUp, false}, {"client-metadata", newClientMetadata, groupSetUp, false},
		{"man", newMan, groupSetUp, false}, {"version", newVersion, groupSetUp, false},
	}
}

// build makes the command.
func (c commandEntry) build(e *call) *cli.Command {
	command := c.make(e)
	command.Category = c.group
	return command
}

// allCommands builds the whole command tree.
func allCommands(e *call) (tree []*cli.Command) {
	for _, c := range commands() {
		tree = append(tree, c.build(e))
	}
	return tree
}

// commandsFor builds as much of the tree as a command line needs: if it begins with
// a command's name, that command. Each start pays for this.
func commandsFor(e *call, args []string) []*cli.Command {
	for _, c := range commands() {
		if len(args) > 0 && args[0] == c.name {
			return []*cli.Command{c.build(e)}
		}
	}
	return allCommands(e)
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

// run runs the program with its arguments and returns the exit code.
func run(ctx context.Context, args []string, e *env) int {
	e.err = e.streams().Messages() // everything written to it passes a display
	if len(args) > 0 && args[0] == completeName {
		return e.bare().finish(ctx, runComplete(ctx, e, args[1:]))
	}
	tree := commandsFor(e.bare(), args)
	line := treeOf(tree).Interpret(args)
	own, err := e.runLine(ctx, tree, line)
	code := own.finish(ctx, err)
	if code != exit.Done && line.Command != nil && line.Command.Name == envName {
		failEval(own, code)
	}
	return code
}

// runLine runs one command line. It returns the run, which knows how to explain an
// error.
func (e *env) runLine(ctx context.Context, tree []*cli.Command, line commandline.Line) (*call, error) {
	if line.Help && (line.Command != nil || len(line.Args) == 0) {
		return e.bare(), e.answerText(line.Asked(helpOf(tree), e.streams().ColumnsOf(e.out)))
	}
	own, err := e.calling(line)
	if err != nil {
		return own, err
	}
	if line.Command == nil {
		// Nobody asked for it, so it goes to standard error. It is best effort: the exit
		// code says it too.
		_ = e.streams().Display(e.streams().RawErr()).Print(helpOf(tree).Overview(e.streams().Columns()))
		return own, errNoCommand
	}
	return own, own.execute(ctx, commandAt(commandsFor(own, line.Path), line.Path))
}

// execute runs a command with the values that the settings have for its flags, and the
// arguments that were typed. Running the framework's App would parse the words a second
// time, and its help would make the program 3 MB larger (urfave/cli#2277).
func (e *call) execute(ctx context.Context, c *cli.Command) error {
	if !usuallyShort(c) {
		ctx.Done() // listen for signals now
	}
	if err := setFlags(c.Flags, e.Settings()); err != nil {
		return err
	}
	if _, err := e.Settings().All(variables.WithoutFlag()); err != nil {
		return err
	}
	set := flag.NewFlagSet(c.Name, flag.ContinueOnError)
	if err := set.Parse(slices.Concat([]string{"--"}, e.Line.Args, e.Line.Program)); err != nil {
		return exit.Usage(err)
	}
	return c.Action(cli.NewContext(nil, set, &cli.Context{Context: ctx}))
}

// usuallyShort reports whether scripts run a command all the time, and it nearly always
// ends without waiting. Such a command listens for signals only when it has to wait
// (internal/interrupt).
func usuallyShort(c *cli.Command) bool {
	return slices.Contains([]string{envName, execName, "headers", "token", "list", "version"}, c.Name)
}

// helpOf describes the program for people.
func helpOf(tree []*cli.Command) help.Program {
	return treeOf(tree).Help(help.Command{Name: "mcp-login", Summary: summary, Examples: strings.Split(usageText(), "\n")})
}

// errNoCommand ends a bare mcp-login, which has shown the help instead.
var errNoCommand = &exit.Error{Code: exit.BadUsage}

// action is a command's work, given its arguments.
type action func(ctx context.Context, args []string) error

// command completes c with the flags that every command has, and with its work.
func (e *call) command(c *cli.Command, o *common, do action) *cli.Command {
	c.Flags = append(c.Flags, o.flags()...)
	c.Action = func(ctx *cli.Context) error {
		for name := range e.secrets { // the flags have theirs
			_ = os.Unsetenv(name) // it was set, so it is a name
		}
		return do(secrets.WithNotice(ctx.Context, func(text string) { e.log.Warn().Msg(text) }), ctx.Args().Slice())
	}
	return c
}

// summary says what the program is.
const summary = "OAuth sign-in for MCP servers, on machines without a browser"

// usageText is the first example that the help shows.
func usageText() string {
	return fmt.Sprintf("%-34s # approve on any device\n%-34s # sets MCP_NAME_AUTHORIZATION and others\n%-34s # the same, for one program",
		suggest.MCPLogin("login", "NAME", "URL"), suggest.Eval(suggest.MCPLogin("env", "NAME")), suggest.MCPLogin("exec", "NAME", "--", "./program"))
}
