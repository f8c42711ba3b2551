package commandline

import (
	"slices"
	"strings"

	"github.com/mcp-login/mcp-login/internal/exit"
	"github.com/mcp-login/mcp-login/internal/help"
	"github.com/mcp-login/mcp-login/internal/profilename"
	"github.com/mcp-login/mcp-login/internal/settings"
	"github.com/mcp-login/mcp-login/internal/suggest"
)

// Tree describes the commands of the program.
type Tree struct {
	Commands []*Command
	Flags    []Flag // that every command has
}

// Keys returns the settings of the flags of all commands, possibly with
// duplicates.
func (t Tree) Keys() []settings.Key { return keys(t.Commands) }

func keys(commands []*Command) (all []settings.Key) {
	for _, c := range commands {
		all = append(all, keys(c.Commands)...)
		for _, f := range c.Flags {
			if f.Variable != "" {
				all = append(all, f.Key)
			}
		}
	}
	return all
}

// Command is a command, or a group of them.
type Command struct {
	Name, About string
	Args        string // its arguments, such as "NAME [URL]"
	Description string // longer text, for its help
	Example     string // a command that works if pasted
	Group       string // of commands
	Hidden      bool
	Often       bool // commonly used
	Flags       []Flag
	Commands    []*Command // below it
	Adapt       Adapter    // nil: none
}

// Runs reports whether a command can run itself, even if it has subcommands. A
// group of commands has no flags.
func (c *Command) Runs() bool { return len(c.Commands) == 0 || len(c.Flags) > 0 }

// Adapter returns a command's own words for those of a program that the command takes
// the place of. The function says whether the command has a flag, and whether that
// needs a value.
type Adapter func(words []string, ours func(flag string) (known, value bool)) ([]string, error)

// Flag is a flag of a command. As a setting it has a name, an environment
// variable and a default.
type Flag struct {
	settings.Key
	Bool  bool                    // it takes no value
	Check func(text string) error // returns an error for an invalid value
	Help  func() help.Flag        // its description for --help
}

// NameOrURL is the start of Args of a command that takes either.
const NameOrURL = "NAME|URL"

// Program in Args marks the start of another program's command line.
const Program = "CMD..."

func find(commands []*Command, name string) *Command {
	i := slices.IndexFunc(commands, func(c *Command) bool { return c.Name == name })
	if i < 0 {
		return nil
	}
	return commands[i]
}

func flagNamed(flags []Flag, name string) (Flag, bool) {
	i := slices.IndexFunc(flags, func(f Flag) bool { return f.Name == name })
	if i < 0 {
		return Flag{}, false
	}
	return flags[i], true
}

// Placeholder returns the placeholder of an argument, such as NAME, given its
// index; "": none may follow.
func (c *Command) Placeholder(before int) string {
	wanted := strings.Fields(c.Args)
	if len(wanted) == 0 || before >= len(wanted) && !strings.HasSuffix(strings.Trim(wanted[len(wanted)-1], "[]"), "...") {
		return ""
	}
	return strings.Trim(wanted[min(before, len(wanted)-1)], "[].")
}

// countArgs checks the number of arguments.
func (c *Command) countArgs(args []string) error {
	wanted := strings.Fields(c.Args)
	usage := strings.TrimSpace(c.Name + " " + strings.Replace(c.Args, Program, "-- "+Program, 1))
	least := len(wanted) - strings.Count(c.Args, "[")
	if c.Args == "NAME [URL]" && len(args) == 1 && strings.Contains(args[0], "://") {
		return exit.Usagef("%s: NAME is missing before the URL: %s", c.Name, suggest.MCPLogin(c.Name, "NAME", args[0]))
	}
	if len(args) < least {
		return exit.Usagef("%s: %s is missing: mcp-login %s", c.Name, wanted[len(args)], usage)
	}
	if len(args) > len(wanted) && !strings.Contains(c.Args, "...") {
		return exit.Usagef("%s: unexpected argument %q: mcp-login %s", c.Name, args[len(wanted)], usage)
	}
	return nil
}

// profiles returns the profiles among the command's arguments.
func (c *Command) profiles(args []string) []string {
	switch {
	case len(args) == 0:
		return nil
	case strings.HasPrefix(c.Args, "NAME..."):
		return args
	case strings.HasPrefix(strings.TrimPrefix(c.Args, "["), NameOrURL):
		profile, server, err := profilename.Split(args)
		if err == nil && profile == "" {
			profile = profilename.Base(server) // a different name in the store is not in a table
		}
		return []string{profile}
	case strings.HasPrefix(c.Args, "NAME"), strings.HasPrefix(c.Args, "[NAME]"):
		return args[:1]
	}
	return nil
}
