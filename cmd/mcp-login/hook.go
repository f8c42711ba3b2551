package main

import (
	"context"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/mcp-login/mcp-login/envexport"
	"github.com/mcp-login/mcp-login/internal/exit"
	"github.com/mcp-login/mcp-login/internal/invocation"
	"github.com/mcp-login/mcp-login/internal/shellscript"
	"github.com/mcp-login/mcp-login/internal/variables"
)

// promptPatience is how long a prompt waits for an agent.
const promptPatience = 8 * time.Second

// expiresAt ends the names of the variables that the hook watches.
const expiresAt = "_EXPIRES_AT"

type hookOptions struct {
	common
	fromAgent
	due string
}

func newHook(e *call) *cli.Command {
	var o hookOptions
	return e.command(&cli.Command{
		Name: "hook", Usage: "Print a shell hook that refreshes expiring variables",
		ArgsUsage: "SHELL", UsageText: `eval "$(mcp-login hook bash)"`,
		Description: "SHELL is bash, zsh or fish. The line goes into the shell's start-up file; for fish it is `mcp-login hook fish | source`. " +
			"It refreshes the variables that `mcp-login env` sets, if they have their usual names and EXPIRES_AT is among them. " +
			"Until a refresh is due, the shell starts no process. The hook never asks anything. When a refresh fails, it says so once and tries again after five minutes. When only a new sign-in helps, it unsets the variables.",
		Flags: append([]cli.Flag{
			stringFlag("due", "Print the new values of the variables of `VARIABLE`, such as MCP_NOTION_EXPIRES_AT; the hook itself calls this", "", &o.due),
		}, o.fromAgent.flags()...),
	}, &o.common, func(ctx context.Context, args []string) error { return runHook(ctx, e, o, args[0]) })
}

func runHook(ctx context.Context, e *call, o hookOptions, shell string) error {
	script, ok := shellscript.Hook(shell, o.MinTTL, e.hookFlags(o.passed()))
	if !ok {
		return exit.Unknown("hook", shell, shellscript.HookShells())
	}
	if o.due != "" {
		if o.agentSock != "" { // which refreshes by itself, so that nothing is lost here
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, promptPatience)
			defer cancel()
		}
		e, err := runDue(ctx, e, o, shell)
		return e.oneLined(err)
	}
	return e.answerData(script)
}

// passed are the flags that the hook's own calls are given again.
func (o *hookOptions) passed() []cli.Flag { return append(o.common.flags(), o.fromAgent.flags()...) }

// hookFlags repeats the flags that this call was given, as they read in any
// folder. What the environment and the configuration say the next call reads
// there itself.
func (e *call) hookFlags(passed []cli.Flag) []string {
	var words []string
	for _, f := range passed {
		name := f.Names()[0]
		if text, ok := e.Line.Value(name); ok {
			words = append(words, "--"+name, text)
		}
	}
	return invocation.FromAnywhere(words)
}

// runDue has env print new values for one profile's variables, those that are
// set. It knows the variable alone, and looks for the profile. It returns the env
// that explains an error.
func runDue(ctx context.Context, e *call, o hookOptions, shell string) (*call, error) {
	prefix, ok := strings.CutSuffix(o.due, expiresAt)
	if !ok {
		return e, exit.Usagef("--due %q: use a variable that ends in %s", o.due, expiresAt)
	}
	profile, err := e.profileOf(ctx, &o, prefix)
	if err != nil {
		return e, err
	}
	var set []string
	for _, suffix := range variables.Suffixes() {
		if e.getenv(prefix+"_"+suffix) != "" {
			set = append(set, suffix)
		}
	}
	args := []string{envName, "--format", shell, "--only", strings.Join(set, ",")}
	for _, f := range o.passed() {
		if text, ok := e.Line.Value(f.Names()[0]); ok {
			args = append(args, "--"+f.Names()[0]+"="+text)
		}
	}
	args = append(args, "--", profile)
	app := appFor(e.bare(), args)
	return e.runLine(ctx, app, treeOf(app.Commands).Interpret(args))
}

// profileOf finds the profile whose variables begin so, in the configuration
// and in the store or agent. Where two do, env refuses them.
func (e *call) profileOf(ctx context.Context, o *hookOptions, prefix string) (string, error) {
	from, err := e.source(ctx, &o.common, o.fromAgent, false)
	if err != nil {
		return "", err
	}
	kept, err := from.Profiles(ctx)
	if err != nil {
		return "", err
	}
	for _, name := range append(e.File.Profiles(), kept...) {
		if envexport.Prefix(name) == prefix {
			return name, nil
		}
	}
	return "", &exit.Error{
		Code: exit.LoginRequired, Text: prefix + expiresAt + " is about to expire, and no credential is stored for it",
		Hint: e.Remedy().LoginCommand(strings.ToLower(strings.TrimPrefix(prefix, "MCP_")), ""),
	}
}

// oneLined brings an error's hint into its line: a prompt follows.
func (e *call) oneLined(err error) error {
	if err == nil {
		return nil
	}
	code, hint := e.Remedy().For(err)
	text := err.Error()
	if code == exit.LoginRequired {
		text += "; its variables are now unset"
	}
	if hint != "" {
		text += ": " + hint
	}
	return &exit.Error{Code: code, Text: text}
}
