package main

import (
	"context"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/mcp-login/mcp-login/internal/completion"
	"github.com/mcp-login/mcp-login/internal/exit"
	"github.com/mcp-login/mcp-login/internal/shellscript"
	"github.com/mcp-login/mcp-login/internal/signin"
	"github.com/mcp-login/mcp-login/internal/suggest"
)

func newCompletion(e *call) *cli.Command {
	var o common
	return e.command(&cli.Command{
		Name: "completion", Usage: "Generate a shell completion script",
		ArgsUsage: "SHELL", UsageText: completionExamples(),
		Description: "Add the line for your shell to its startup file: " +
			"~/.bashrc, ~/.zshrc after compinit, ~/.config/fish/config.fish, or for PowerShell the file that $PROFILE names.",
	}, &o, func(_ context.Context, args []string) error { return runCompletion(e, args[0]) })
}

func runCompletion(e *call, shell string) error {
	if script, ok := shellscript.Completion(shell); ok {
		return e.answerData(script)
	}
	return exit.Unknown("completion", shell, shellscript.CompletionShells())
}

// completeName is the command that the scripts run, with the words up to the cursor.
// The last word, which is being completed, has a dot before it because some shells drop
// an empty argument. It is not in the command tree: its arguments are the words of
// another command line.
const completeName = "__complete"

// runComplete prints the candidates, one per line. It reports no errors and
// contacts no server, because the user is typing.
func runComplete(ctx context.Context, e *env, words []string) error {
	if len(words) == 0 {
		return nil
	}
	before, current := words[:len(words)-1], strings.TrimPrefix(words[len(words)-1], ".")
	own := e.bare()
	own.Line = treeOf(allCommands(own)).Interpret(before)
	if file, err := readConfig(e)(); err == nil {
		own.File = file
	}
	lines := completion.Words{Flows: strings.Split(signin.FlowNames, ", "), Profiles: own.open(new(common)).ProfileNames}.Lines(ctx, own.Line, current)
	return e.answerData(lines)
}

// completionExamples are the lines for all shells.
func completionExamples() string {
	var lines []string
	for _, shell := range shellscript.CompletionShells() {
		lines = append(lines, suggest.Source(shell, suggest.MCPLogin("completion", shell)))
	}
	return strings.Join(lines, "\n")
}
