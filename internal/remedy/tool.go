package remedy

import (
	"slices"
	"strings"

	"github.com/mcp-login/mcp-login/internal/commandline"
	"github.com/mcp-login/mcp-login/internal/mcpprobe"
	"github.com/mcp-login/mcp-login/internal/suggest"
)

const (
	maxSimilar = 3   // tools in a hint
	maxName    = 128 // bytes of a name that people type
)

// otherTools is the hint for a tool that the server does not list.
func (c Call) otherTools(err *mcpprobe.UnknownToolError) string {
	var commands []string
	for _, name := range similarTools(err) {
		commands = append(commands, c.withTool(err.Tool, name))
	}
	if len(commands) == 0 {
		return "to list its tools: " + c.testCommand()
	}
	return strings.Join(commands, "\nor: ")
}

// withTool is this command with another tool in the place of one.
func (c Call) withTool(tool, other string) string {
	if !c.Line.Starts("test") {
		return c.testCommand("--call", other)
	}
	return c.Line.Again(func(p commandline.Part) []string {
		if p.IsFlag && p.Flag == "call" && p.Value == tool {
			return []string{"--call", other}
		}
		return p.Typed()
	}).String()
}

// similarTools returns the names that were most likely meant, the closest first, and
// those that contain what was typed.
func similarTools(err *mcpprobe.UnknownToolError) (names []string) {
	var known []string
	for _, t := range err.Tools {
		if t.Name != "" && len(t.Name) <= maxName {
			known = append(known, t.Name)
		}
	}
	take := func(name string) {
		names = append(names, name)
		known = slices.DeleteFunc(known, func(k string) bool { return k == name })
	}
	for len(names) < maxSimilar {
		closest, ok := suggest.Closest(err.Tool, known)
		if !ok {
			break
		}
		take(closest)
	}
	for _, name := range slices.Clone(known) {
		if len(names) < maxSimilar && err.Tool != "" && strings.Contains(strings.ToLower(name), strings.ToLower(err.Tool)) {
			take(name)
		}
	}
	return names
}
