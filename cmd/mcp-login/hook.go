package main

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/mcp-login/mcp-login/envexport"
	"github.com/mcp-login/mcp-login/internal/exit"
	"github.com/mcp-login/mcp-login/internal/invocation"
	"github.com/mcp-login/mcp-login/internal/shelleval"
	"github.com/mcp-login/mcp-login/internal/shellscript"
)

// agentTimeout is the timeout of a request to the agent before a prompt.
const agentTimeout = 8 * time.Second

// expiresAt is the suffix of the variables that the hook watches.
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
		Description: "SHELL is bash, zsh or fish. Add the line to the shell's startup file; for fish it is `mcp-login hook fish | source`. " +
			"It refreshes the variables that `mcp-login env` sets, if they have their default names and include EXPIRES_AT. " +
			"The shell starts no process until a refresh is due. The hook never prompts. If a refresh fails, it prints one message and tries again after five minutes. If a sign-in is required, it unsets the variables.",
		Flags: append([]cli.Flag{
			stringFlag("due", "Print new values for the variables that belong to `VARIABLE`, such as MCP_NOTION_EXPIRES_AT (for the hook itself)", "", &o.due),
		}, o.fromAgent.flags()...),
	}, &o.common, func(ctx context.Context, args []string) error { return runHook(ctx, e, o, args[0]) })
}

func runHook(ctx context.Context, e *call, o hookOptions, shell string) error {
	// The hook's own calls read the environment and the configuration themselves.
	typed := e.Given(describeFlags(slices.Concat(o.common.flags(), o.fromAgent.flags())))
	script, ok := shellscript.Hook(shell, o.MinTTL, invocation.FromAnywhere(typed))
	if !ok {
		return exit.Unknown("hook", shell, shellscript.HookShells())
	}
	if o.due == "" {
		return e.answerData(script)
	}
	if o.agentSock != "" { // the agent refreshes by itself
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, agentTimeout)
		defer cancel()
	}
	e, err := runDue(ctx, e, o, slices.Concat([]string{"--format", shell}, typed))
	return e.Remedy().OneLine(err) // a prompt follows
}

// runDue makes env print new values for one profile's variables that are set. It
// finds the profile by the name of a variable. It returns the run that explains
// an error.
func runDue(ctx context.Context, e *call, o hookOptions, flags []string) (*call, error) {
	prefix, ok := strings.CutSuffix(o.due, expiresAt)
	if !ok {
		return e, exit.Usagef("--due %q: use a variable that ends in %s", o.due, expiresAt)
	}
	profile, err := profileOf(ctx, e, &o, prefix)
	if err != nil {
		return e, err
	}
	set := strings.Join(shelleval.Set(e.getenv, prefix), ",")
	args := slices.Concat([]string{envName, "--only", set}, flags, []string{"--", profile})
	tree := commandsFor(e.bare(), args)
	return e.runLine(ctx, tree, treeOf(tree).Interpret(args))
}

// profileOf finds the profile with a variable prefix, in the configuration and
// in the store or agent. If two have it, env rejects them.
func profileOf(ctx context.Context, e *call, o *hookOptions, prefix string) (string, error) {
	from, err := e.open(&o.common).Source(ctx, o.agentSock, false)
	if err != nil {
		return "", err
	}
	stored, err := from.Profiles(ctx)
	if err != nil {
		return "", err
	}
	names := append(e.File.Profiles(), stored...)
	if i := slices.IndexFunc(names, func(name string) bool { return envexport.Prefix(name) == prefix }); i >= 0 {
		return names[i], nil
	}
	return "", &exit.Error{
		Code: exit.LoginRequired, Text: prefix + expiresAt + " expires soon, and no credential is stored for it",
		Hint: e.Remedy().LoginCommand(strings.ToLower(strings.TrimPrefix(prefix, "MCP_")), ""),
	}
}
