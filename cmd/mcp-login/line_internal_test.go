package main

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"
)

// TestExecute: a command gets its flags and arguments as they were parsed, whatever
// the values look like.
func TestExecute(t *testing.T) {
	for _, value := range []string{"", "-", "--", "--help", "-h", "--store", "a=b", "=", "a b", "\n", "\x00", "store", "'"} {
		for _, words := range [][]string{
			{"env", "--prefix", value, "--", value},
			{"env", "--prefix=" + value, "--", value},
		} {
			flags, args, _ := executed(t, words)
			if flags["prefix"] != value || !slices.Equal(args, []string{value}) {
				t.Errorf("%q: prefix %q, arguments %q", words, flags["prefix"], args)
			}
		}
	}
}

// executed parses a command line and returns what is passed to its command.
func executed(t *testing.T, words []string) (flags map[string]string, args []string, err error) {
	t.Helper()
	e, _, _ := testEnv(t)
	e.Line, e.Getenv = treeOf(allCommands(e)).Interpret(words), e.getenv
	if err := e.Line.Check(); err != nil || e.Line.Help || e.Line.Command == nil {
		return nil, nil, cmp.Or(err, errors.New("no command runs"))
	}
	c := commandAt(allCommands(e), e.Line.Path)
	c.Action = func(ctx *cli.Context) error {
		flags, args = map[string]string{}, ctx.Args().Slice()
		for _, f := range c.Flags {
			flags[f.Names()[0]] = variableOf(f)
		}
		return nil
	}
	return flags, args, e.execute(t.Context(), c)
}

// variableOf returns the value of a flag's variable, which the command reads.
func variableOf(f cli.Flag) string {
	switch f := f.(type) {
	case *cli.StringFlag:
		return *f.Destination
	case *cli.BoolFlag:
		return fmt.Sprint(*f.Destination)
	case *cli.DurationFlag:
		return f.Destination.String()
	case *cli.IntFlag:
		return fmt.Sprint(*f.Destination)
	}
	return f.(*cli.GenericFlag).Value.String()
}

// TestExecPassesArgumentsOn: exec passes the program's flags to the program,
// --help included.
func TestExecPassesArgumentsOn(t *testing.T) {
	for _, line := range []string{"exec a %s", "exec a -- %s", "exec -- a %s", "exec --prefix P a %s", "exec a --prefix P -- %s"} {
		for _, program := range []string{"sh -c x --profile-dir /zzz", "ls --help", "ls -h --version --", "-- --", "exec b --prefix Q -- ls"} {
			program := strings.Fields(program)
			words := strings.Fields(fmt.Sprintf(line, strings.Join(program, " ")))
			if program[0] == "--" && !strings.Contains(line, "-- ") {
				continue // the first "--" would be parsed by exec
			}
			flags, args, _ := executed(t, words)
			if !slices.Equal(args, append([]string{"a"}, program...)) || flags["profile-dir"] != "" || flags["prefix"] == "Q" {
				t.Errorf("%q: arguments %q, flags %v", words, args, flags)
			}
		}
	}
}

// FuzzExec: exec passes the program's command line unchanged.
func FuzzExec(f *testing.F) {
	for _, line := range []string{
		"exec\na\nls\n--help", "exec\na\n--\nls\n--store\nX", "exec\n--prefix\n--help\na\nsh\n-c\nx",
		"--store\nX\nexec\n-h\na\nls", "exec\n--\na\n--\nb", "exec\na\n\nx", "exec\n--login\na\n-x\ny", "help\nexec\na\nls",
	} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		e, _, _ := testEnv(t)
		words := strings.Split(line, "\n")
		l := treeOf(allCommands(e)).Interpret(words)
		if flags, args, _ := executed(t, words); l.Program != nil && flags != nil && !slices.Equal(args[1:], l.Program) {
			t.Errorf("%q: the program got %q", words, args[1:])
		}
	})
}
