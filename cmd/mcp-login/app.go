package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/mcp-login/mcp-login/internal/commandline"
	"github.com/mcp-login/mcp-login/internal/exit"
	"github.com/mcp-login/mcp-login/internal/help"
	"github.com/mcp-login/mcp-login/internal/suggest"
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

// newApp builds the whole command tree. The framework's own messages go to
// standard error: under eval "$(...)" they would be run as commands.
func newApp(e *call) *cli.App {
	app := bareApp(e)
	for _, c := range commands() {
		app.Commands = append(app.Commands, c.build(e))
	}
	return app
}

// appFor builds as much of the tree as a command line needs: if it begins with
// a command's name, that command. Each start pays for this.
func appFor(e *call, args []string) *cli.App {
	app := bareApp(e)
	for _, c := range commands() {
		if len(args) > 0 && args[0] == c.name {
			app.Commands = []*cli.Command{c.build(e)}
			return app
		}
	}
	return newApp(e)
}

func bareApp(e *call) *cli.App {
	return &cli.App{
		Name:      "mcp-login",
		Usage:     "OAuth sign-in for MCP servers, on machines without a browser",
		UsageText: usageText(),
		Writer:    e.err, ErrWriter: e.err, Reader: e.in,
		HideVersion: true, HideHelp: true, // help is ours
		DisableSliceFlagSeparator: true,                         // a value may hold a comma
		ExitErrHandler:            func(*cli.Context, error) {}, // only main exits
		OnUsageError:              usage,
	}
}

// run runs the program with its arguments and returns the exit code.
func run(ctx context.Context, args []string, e *env) int {
	e.err = e.streams().Messages() // everything written to it passes a display
	if len(args) > 0 && args[0] == completeName {
		return e.bare().finish(ctx, runComplete(ctx, e, args[1:]))
	}
	app := appFor(e.bare(), args)
	line := treeOf(app.Commands).Interpret(args)
	own, err := e.runLine(ctx, app, line)
	code := own.finish(ctx, err)
	if code != exit.Done && line.Command != nil && line.Command.Name == envName {
		failEval(own, code)
	}
	return code
}

// runLine runs one command line. It returns the run, which knows how to explain an
// error.
func (e *env) runLine(ctx context.Context, app *cli.App, line commandline.Line) (*call, error) {
	if line.Help && (line.Command != nil || len(line.Args) == 0) {
		return e.bare(), e.answerText(line.Asked(helpOf(app), e.streams().ColumnsOf(e.out)))
	}
	own, err := e.calling(line)
	if err != nil {
		return own, err
	}
	if line.Command == nil {
		// Nobody asked for it, so it goes to standard error. It is best effort: the exit
		// code says it too.
		_ = e.streams().Display(e.streams().RawErr()).Print(helpOf(app).Overview(e.streams().Columns()))
		return own, errNoCommand
	}
	app = appFor(own, line.Path)
	if len(line.Path) == 1 {
		app.Commands[0].Subcommands = nil // a word that follows is an argument
	}
	return own, app.RunContext(ctx, append([]string{app.Name}, line.Parsable()...))
}

// helpOf describes the program for people.
func helpOf(app *cli.App) help.Program {
	return treeOf(app.Commands).Help(help.Command{Name: app.Name, Summary: app.Usage, Examples: strings.Split(app.UsageText, "\n")})
}

// errNoCommand ends a bare mcp-login, which has shown the help instead.
var errNoCommand = &exit.Error{Code: exit.BadUsage}

func usage(_ *cli.Context, err error, _ bool) error { return exit.Usage(err) }

// action is a command's work, given its arguments.
type action func(ctx context.Context, args []string) error

// command completes c: flags that every command has, their values of the
// configuration file, and nothing that reaches standard output or exits behind
// our back.
func (e *call) command(c *cli.Command, o *common, do action) *cli.Command {
	c.Flags = append(c.Flags, o.flags()...)
	c.OnUsageError = usage
	c.HideHelp = true
	c.Action = func(ctx *cli.Context) error {
		for name := range e.secrets { // the framework has read those of flags
			_ = os.Unsetenv(name) // it was set, so it is a name
		}
		if err := e.applySettings(ctx); err != nil {
			return err
		}
		return do(secrets.WithNotice(ctx.Context, func(text string) { e.log.Warn().Msg(text) }), ctx.Args().Slice())
	}
	return c
}

// usageText is the first example that the help shows.
func usageText() string {
	return fmt.Sprintf("%-34s # approve on any device\n%-34s # sets MCP_NAME_AUTHORIZATION and others\n%-34s # the same, for one program",
		suggest.MCPLogin("login", "NAME", "URL"), suggest.Eval(suggest.MCPLogin("env", "NAME")), suggest.MCPLogin("exec", "NAME", "--", "./program"))
}
