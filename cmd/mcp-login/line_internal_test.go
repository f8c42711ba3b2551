package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"
)

// summary is what an interpretation comes to, in one line.
func (l *commandLine) summary() string {
	words := []string{strings.Join(l.path, " ")}
	for _, p := range l.parts {
		if p.isFlag {
			words = append(words, fmt.Sprintf("%s=%q", p.flag, p.value))
		}
	}
	if len(l.args) > 0 {
		words = append(words, fmt.Sprintf("args%q", l.args))
	}
	if l.program != nil {
		words = append(words, fmt.Sprintf("program%q", l.program))
	}
	if l.open != "" {
		words = append(words, "open:"+l.open)
	}
	if l.help {
		words = append(words, "help")
	}
	if err := l.check(); err != nil {
		words = append(words, "error:"+err.Error())
	}
	return strings.Join(words, " ")
}

func TestInterpret(t *testing.T) {
	e, _, _ := testEnv(t)
	commands := newApp(e).Commands
	for _, tt := range []struct{ line, want string }{
		// Flags before, between and after.
		{"env a", `env args["a"]`},
		{"env a --store X b", `env store="X" args["a" "b"]`},
		{"--store X env a --format=fish", `env store="X" format="fish" args["a"]`},
		{"store --timeout 3s move a --to X", `store move timeout="3s" to="X" args["a"]`},
		{"env -store X -- a", `env store="X" args["a"]`},
		{"env a --store X --store=Y", `env store="X" store="Y" args["a"]`},
		{"env --prefix= a", `env prefix="" args["a"]`},
		{"env --var TOKEN=A a", `env var="TOKEN=A" args["a"]`},
		{"env - a", `env args["-" "a"]`},
		{"list --json", `list json="true"`},
		{"list --json=false", `list json="false"`},
		{"--json list", `list json="true"`},
		{"--format=fish env a", `env format="fish" args["a"]`},

		// A value is a value, whatever it looks like.
		{"env --prefix --help a", `env prefix="--help" args["a"]`},
		{"env --prefix -h a", `env prefix="-h" args["a"]`},
		{"env --prefix -- a", `env prefix="--" args["a"]`},
		{"env --prefix --store X a", `env prefix="--store" args["X" "a"]`},
		{"env --prefix=--help a", `env prefix="--help" args["a"]`},

		// "--" ends the flags, once.
		{"env -- --json -x", `env args["--json" "-x"]`},
		{"env a -- --store X", `env args["a" "--store" "X"]`},
		{"env -- a -- b", `env args["a" "--" "b"]`},
		{"-- env a", `env args["a"]`},

		// The program's command line is the program's.
		{"exec a CMD", `exec args["a"] program["CMD"]`},
		{"exec a -- CMD", `exec args["a"] program["CMD"]`},
		{"exec -- a CMD", `exec args["a"] program["CMD"]`},
		{"exec --store X a CMD", `exec store="X" args["a"] program["CMD"]`},
		{"exec a --store X CMD", `exec store="X" args["a"] program["CMD"]`},
		{"exec a --store X -- CMD", `exec store="X" args["a"] program["CMD"]`},
		{"exec a sh -c x --profile-dir /zzz", `exec args["a"] program["sh" "-c" "x" "--profile-dir" "/zzz"]`},
		{"exec a -- ls --help", `exec args["a"] program["ls" "--help"]`},
		{"exec a ls -h", `exec args["a"] program["ls" "-h"]`},
		{"exec a ls --version", `exec args["a"] program["ls" "--version"]`},
		{"exec a ls -- x", `exec args["a"] program["ls" "--" "x"]`},
		{"exec a -- -- x", `exec args["a"] program["--" "x"]`},
		{"exec a -- --help", `exec args["a"] program["--help"]`},
		{"exec -- a --help", `exec args["a"] program["--help"]`},
		{"exec -- --help x", `exec args["--help"] program["x"]`},
		{"exec a exec b --store X", `exec args["a"] program["exec" "b" "--store" "X"]`},
		{"exec a CMD --store", `exec args["a"] program["CMD" "--store"]`},
		{"exec a", `exec args["a"]`},
		{"exec a --", `exec args["a"]`},
		{"exec help CMD", `exec args["help"] program["CMD"]`},

		// Help, where it is asked of this program.
		{"--help", " help"},
		{"-h env", "env help"},
		{"help store move", "store move help"},
		{"store help", "store help"},
		{"help exec", "exec help"},
		{"env a --help", `env args["a"] help`},
		{"exec a --help", `exec args["a"] help`},
		{"exec --help a ls", `exec args["a"] program["ls"] help`},
		{"env help", `env args["help"]`},
		{"env a --help=x", `env help="x" args["a"] error:unknown flag "--help"`},
		{"--version", "version"},
		{"env --version", `env version="" error:unknown flag "--version"`},

		// Mistakes.
		{"", ""},
		{"--store", ` store="" open:store error:the flag --store needs a value`},
		{"env a --store", `env store="" args["a"] open:store error:the flag --store needs a value`},
		{"env a --stroe X", `env stroe="" args["a" "X"] error:unknown flag "--stroe", did you mean --store?`},
		{"env a --stroe=X", `env stroe="X" args["a"] error:unknown flag "--stroe", did you mean --store?`},
		{"env --=x", `env ="x" error:unknown flag "--"`},
		{"env ---store X", `env -store="" args["X"] error:unknown flag "---store", did you mean --store?`},
		{"env -ab", `env ab="" error:unknown flag "--ab"`},
		{"--format env a", `env format="" args["a"] error:the flag --format needs a value`},
		{"--format fish env a", ` format="" args["fish" "env" "a"] error:unknown flag "--format" before the name of a command`},
		{"enw a", ` args["enw" "a"] error:unknown command "enw", did you mean env?`},
		{"store nothing", `store args["nothing"]`}, // the group says so
	} {
		l := interpret(commands, strings.Fields(tt.line))
		if got := l.summary(); got != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", tt.line, got, tt.want)
		}
	}
}

// TestParsable: the framework understands what it is given as it was
// interpreted, whatever the values look like.
func TestParsable(t *testing.T) {
	for _, value := range []string{"", "-", "--", "--help", "-h", "--store", "a=b", "=", "a b", "\n", "\x00", "store", "'"} {
		for _, words := range [][]string{
			{"env", "--prefix", value, "--", value},
			{"env", "--prefix=" + value, "--", value},
		} {
			flags, args := executed(t, words)
			if flags["prefix"] != value || !slices.Equal(args, []string{value}) {
				t.Errorf("%q: prefix %q, arguments %q", words, flags["prefix"], args)
			}
		}
	}
}

// executed runs a command line as far as its command, and returns what that was
// given; nil: it did not get there.
func executed(t *testing.T, words []string) (flags map[string]string, args []string) {
	t.Helper()
	e, _, _ := testEnv(t)
	app := appFor(e, words)
	e.line = interpret(app.Commands, words)
	if e.line.help || e.line.command == nil || e.line.check() != nil {
		return nil, nil
	}
	e.line.command.Action = func(c *cli.Context) error {
		flags, args = map[string]string{}, c.Args().Slice()
		for _, f := range c.Command.Flags {
			flags[f.Names()[0]] = fmt.Sprint(c.Value(f.Names()[0]))
		}
		return nil
	}
	_ = app.RunContext(t.Context(), append([]string{app.Name}, e.line.parsable()...)) // a value may be wrong
	return flags, args
}

// TestExecPassesTheProgramsWordsOn: its flags are never ours, and it starts even
// if it is asked for its help.
func TestExecPassesTheProgramsWordsOn(t *testing.T) {
	for _, line := range []string{"exec a %s", "exec a -- %s", "exec -- a %s", "exec --prefix P a %s", "exec a --prefix P -- %s"} {
		for _, program := range []string{"sh -c x --profile-dir /zzz", "ls --help", "ls -h --version --", "-- --", "exec b --prefix Q -- ls"} {
			program := strings.Fields(program)
			words := strings.Fields(fmt.Sprintf(line, strings.Join(program, " ")))
			if program[0] == "--" && !strings.Contains(line, "-- ") {
				continue // the first "--" would be ours
			}
			flags, args := executed(t, words)
			if !slices.Equal(args, append([]string{"a"}, program...)) || flags["profile-dir"] != "" || flags["prefix"] == "Q" {
				t.Errorf("%q: arguments %q, flags %v", words, args, flags)
			}
		}
	}
}

// FuzzProgram: no word of the program's command line changes how the words
// before it are understood, and the program gets each byte of it.
func FuzzProgram(f *testing.F) {
	for _, line := range []string{
		"exec\na\nls\n--help", "exec\na\n--\nls\n--store\nX", "exec\n--prefix\n--help\na\nsh\n-c\nx",
		"--store\nX\nexec\n-h\na\nls", "exec\n--\na\n--\nb", "exec\na\n\nx", "exec\n--login\na\n-x\ny", "help\nexec\na\nls",
	} {
		f.Add(line, "--help\n--store=Y\n--")
	}
	f.Fuzz(func(t *testing.T, line, other string) {
		e, _, _ := testEnv(t)
		commands := newApp(e).Commands
		words := strings.Split(line, "\n")
		l := interpret(commands, words)
		if l.program == nil {
			return
		}
		before, program := words[:len(words)-len(l.program)], l.program
		if !slices.Equal(words[len(before):], program) {
			t.Fatalf("%q: the program is %q", words, program)
		}
		if flags, args := executed(t, words); flags != nil && !slices.Equal(args[1:], program) {
			t.Errorf("%q: the program got %q", words, args[1:])
		}
		first, _, _ := strings.Cut(other, "\n")
		if !l.ended && strings.HasPrefix(first, "-") {
			other = "x\n" + other // a flag, or "--", where flags may stand begins no program
		}
		changed := interpret(commands, append(slices.Clone(before), strings.Split(other, "\n")...))
		if want := strings.Split(other, "\n"); !slices.Equal(changed.program, want) {
			t.Errorf("%q before %q: the program is %q", before, want, changed.program)
		}
		l.program, changed.program = nil, nil
		if got, want := changed.summary(), l.summary(); got != want {
			t.Errorf("%q before %q: %s\nbefore %q: %s", before, other, got, program, want)
		}
	})
}

// A flag that a hint adds stands where it is a flag, and not an argument.
func TestLineWithMoreFlags(t *testing.T) {
	for typed, want := range map[string]string{
		"login a":               "mcp-login login --x y a",
		"--store s login login": "mcp-login --store s login --x y login",
		"login a -- b":          "mcp-login login --x y a -- b",
		"-- login a":            "mcp-login --x y -- login a",
		"store status":          "mcp-login store status --x y",
	} {
		l := interpret(newApp(&env{}).Commands, strings.Fields(typed))
		if got := l.with("--x", "y"); got.String() != want {
			t.Errorf("with() of %q = %q, want %q", typed, got, want)
		}
	}
}
