package remedy

import (
	"errors"
	"slices"
	"strings"

	"github.com/mcp-login/mcp-login/ci"
	"github.com/mcp-login/mcp-login/internal/cistep"
	"github.com/mcp-login/mcp-login/internal/commandline"
	"github.com/mcp-login/mcp-login/internal/suggest"
)

// otherWays are commands that do not depend on the provider, one per line.
func (c Call) otherWays(n *cistep.NotExportedError) string {
	exec := suggest.MCPLogin("exec", n.Profiles[0])
	for _, profile := range n.Profiles[1:] {
		exec = exec.With("--also", profile)
	}
	ways := []string{
		exec.With(c.Flags...).With("--", "COMMAND").String(),
		"or write a file that only you can read: " + suggest.Private(c.lineWith(), "FILE"),
	}
	if captured, ok := errors.AsType[*ci.CapturedError](n.Err); ok {
		ways = slices.Insert(ways, 0, "leave "+captured.Stream+" as the step has it: "+c.lineWith("--ci").String())
	}
	if unmasked, ok := errors.AsType[*ci.UnmaskedError](n.Err); ok {
		line := c.lineWith("--ci", "--allow-unmasked").String()
		if unmasked.Provider.PrintsShell() {
			line = c.ForEval(true)
		}
		ways = append(ways, "or let the log show the token: "+line)
	}
	return strings.Join(ways, "\n")
}

// ForEval returns the command line for a shell in a CI step.
func (c Call) ForEval(unmasked bool) string {
	flags := []string{"--ci"}
	if unmasked {
		flags = append(flags, "--allow-unmasked")
	}
	return suggest.Eval(c.lineWith(flags...))
}

// lineWith is the command line with other flags in the place of --ci.
func (c Call) lineWith(flags ...string) suggest.Command {
	return c.Line.Again(func(p commandline.Part) []string {
		switch {
		case p.IsFlag && p.Flag == "ci":
			words := flags
			flags = nil // once, however often it was typed
			return words
		case p.IsFlag && p.Flag == "allow-unmasked":
			return nil
		}
		return p.Typed()
	})
}
