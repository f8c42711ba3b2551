package main

import (
	"strings"

	"github.com/urfave/cli/v2"
)

// reorder puts a command's flags before its arguments, where the framework
// wants them, wherever they were typed: `--store X env NAME --format fish`
// becomes `env --store X --format fish -- NAME`. "--" ends the flags, and so
// does the start of another program's command line (exec NAME CMD ...).
func reorder(commands []*cli.Command, args []string) []string {
	var path, flags, words []string
	var current *cli.Command
	help := false
	for len(args) > 0 {
		arg := args[0]
		args = args[1:]
		if arg == "--" {
			words = append(words, args...)
			break
		}
		if arg == helpFlag || arg == "-h" || arg == "help" && len(path)+len(words)+len(flags) == 0 {
			help = true // on the command, whatever else was typed
			continue
		}
		if len(arg) > 1 && arg[0] == '-' {
			flags = append(flags, arg)
			if takesValue(commands, current, arg) {
				if len(args) == 0 {
					return append(path, arg) // the framework is to say that its value is missing
				}
				flags = append(flags, args[0])
				args = args[1:]
			}
			continue
		}
		if next := find(subcommands(commands, current), arg); next != nil && len(words) == 0 {
			path, current = append(path, arg), next
			continue
		}
		words = append(words, arg)
		if current != nil && current.Name == execName && len(words) == 2 {
			words = append(words, args...)
			break
		}
	}
	if help {
		return append(path, helpFlag)
	}
	if current == nil && len(words) > 0 {
		return words[:1] // no such command, which the framework is to say
	}
	out := append(path, flags...)
	if len(words) > 0 {
		out = append(append(out, "--"), words...)
	}
	return out
}

const helpFlag = "--help"

// pathOf returns the commands at the beginning of a line that was reordered.
func pathOf(commands []*cli.Command, words []string) (path []string) {
	for _, word := range words {
		c := find(commands, word)
		if c == nil {
			break
		}
		path, commands = append(path, word), c.Subcommands
	}
	return path
}

func subcommands(root []*cli.Command, c *cli.Command) []*cli.Command {
	if c == nil {
		return root
	}
	return c.Subcommands
}

func find(commands []*cli.Command, name string) *cli.Command {
	for _, c := range commands {
		if c.HasName(name) {
			return c
		}
	}
	return nil
}

// takesValue reports whether the flag's value is the next argument. Before the
// command's name only the flags that every command has can be known.
func takesValue(root []*cli.Command, c *cli.Command, arg string) bool {
	name := strings.TrimLeft(arg, "-")
	if strings.Contains(name, "=") {
		return false
	}
	known := new(common).flags()
	if c != nil {
		known = c.Flags
	}
	for _, f := range known {
		for _, n := range f.Names() {
			if n == name {
				_, isBool := f.(*cli.BoolFlag)
				return !isBool
			}
		}
	}
	return false
}
