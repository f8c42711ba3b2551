package commandline

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/mcp-login/mcp-login/internal/settings"
)

// testTree is a tree with every kind of command and flag.
func testTree() Tree {
	flag := func(name string) Flag { return Flag{Key: settings.Key{Name: name}} }
	boolean := func(name string) Flag { return Flag{Key: settings.Key{Name: name}, Bool: true} }
	common := []Flag{flag("store"), flag("profile-dir"), flag("timeout")}
	command := func(name, args string, flags ...Flag) *Command {
		return &Command{Name: name, Args: args, Flags: append(flags, common...)}
	}
	group := command("store", "")
	group.Commands = []*Command{command("status", ""), command("move", "[NAME...]", flag("to"))}
	keep := command("keep", "[NAME...]", flag("socket")) // runs by itself
	keep.Commands = []*Command{command("stop", "", flag("socket"))}
	return Tree{Flags: common, Commands: []*Command{
		keep,
		command("login", "NAME [URL]", boolean("force")),
		command("env", "NAME...", flag("prefix"), flag("format"), flag("var")),
		command("exec", "NAME "+Program, flag("prefix"), boolean("login")),
		command("list", "", boolean("json")),
		group,
		command("version", ""),
	}}
}

// summary returns the result of parsing, in one line.
func (l *Line) summary() string {
	words := []string{strings.Join(l.Path, " ")}
	for _, p := range l.Parts {
		if p.IsFlag {
			words = append(words, fmt.Sprintf("%s=%q", p.Flag, p.Value))
		}
	}
	if len(l.Args) > 0 {
		words = append(words, fmt.Sprintf("args%q", l.Args))
	}
	if l.Program != nil {
		words = append(words, fmt.Sprintf("program%q", l.Program))
	}
	if l.Open != "" {
		words = append(words, "open:"+l.Open)
	}
	if l.Help {
		words = append(words, "help")
	}
	if err := l.Check(); err != nil {
		words = append(words, "error:"+err.Error())
	}
	return strings.Join(words, " ")
}

func TestInterpret(t *testing.T) {
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

		// A value may look like anything.
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

		// The words of the program's command line belong to the program.
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

		// Help of this program.
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

		// A command with subcommands.
		{"keep", "keep"},
		{"keep a --socket X stop", `keep socket="X" args["a" "stop"]`},
		{"keep --socket X stop", `keep stop socket="X"`},
		{"keep stop --socket X", `keep stop socket="X"`},
		{"keep -- stop", `keep args["stop"]`},
		{"keep help", "keep help"},
		{"keep --to X", `keep to="" args["X"] error:unknown flag "--to"`},

		// Mistakes.
		{"", ""},
		{"--store", ` store="" open:store error:the flag --store needs a value`},
		{"env a --store", `env store="" args["a"] open:store error:the flag --store needs a value`},
		{"env a --stroe X", `env stroe="" args["a" "X"] error:unknown flag "--stroe", did you mean --store?`},
		{"env a --stroe=X", `env stroe="X" args["a"] error:unknown flag "--stroe", did you mean --store?`},
		{"env --=x", `env ="x" error:unknown flag "--"`},
		{"env ---store X", `env -store="" args["X"] error:unknown flag "---store", did you mean --store?`},
		{"env -ab", `env ab="" error:unknown flag "-ab"`},
		{"env -x", `env x="" error:unknown flag "-x"`},
		{"env -x=1", `env x="1" error:unknown flag "-x"`},
		{"-x", ` x="" error:unknown flag "-x" before the command`},
		{"store move -stroe X", `store move stroe="" args["X"] error:unknown flag "-stroe", did you mean --store?`},
		{"env a -store", `env store="" args["a"] open:store error:the flag -store needs a value`},
		{"--format env a", `env format="" args["a"] error:the flag --format needs a value`},
		{"--format fish env a", ` format="" args["fish" "env" "a"] error:unknown flag "--format" before the command`},
		{"enw a", ` args["enw" "a"] error:unknown command "enw", did you mean env?`},
		{"store nothing", `store args["nothing"]`}, // reported by the group
	} {
		l := testTree().Interpret(strings.Fields(tt.line))
		if got := l.summary(); got != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", tt.line, got, tt.want)
		}
	}
}

// FuzzProgram: no word of the program's command line changes how the words before
// it are parsed.
func FuzzProgram(f *testing.F) {
	for _, line := range []string{
		"exec\na\nls\n--help", "exec\na\n--\nls\n--store\nX", "exec\n--prefix\n--help\na\nsh\n-c\nx",
		"--store\nX\nexec\n-h\na\nls", "exec\n--\na\n--\nb", "exec\na\n\nx", "exec\n--login\na\n-x\ny", "help\nexec\na\nls",
	} {
		f.Add(line, "--help\n--store=Y\n--")
	}
	f.Fuzz(func(t *testing.T, line, other string) {
		words := strings.Split(line, "\n")
		l := testTree().Interpret(words)
		if l.Program == nil {
			return
		}
		before, program := words[:len(words)-len(l.Program)], l.Program
		if !slices.Equal(words[len(before):], program) {
			t.Fatalf("%q: the program is %q", words, program)
		}
		first, _, _ := strings.Cut(other, "\n")
		if !l.Ended && strings.HasPrefix(first, "-") {
			other = "x\n" + other // a flag, or "--", where flags are allowed does not begin a program
		}
		changed := testTree().Interpret(append(slices.Clone(before), strings.Split(other, "\n")...))
		if want := strings.Split(other, "\n"); !slices.Equal(changed.Program, want) {
			t.Errorf("%q before %q: the program is %q", before, want, changed.Program)
		}
		l.Program, changed.Program = nil, nil
		if got, want := changed.summary(), l.summary(); got != want {
			t.Errorf("%q before %q: %s\nbefore %q: %s", before, other, got, program, want)
		}
	})
}

// TestLineWithMoreFlags: a flag that a hint adds is placed where it is parsed as a
// flag, and not as an argument.
func TestLineWithMoreFlags(t *testing.T) {
	for typed, want := range map[string]string{
		"login a":               "mcp-login login --x y a",
		"--store s login login": "mcp-login --store s login --x y login",
		"login a -- b":          "mcp-login login --x y a -- b",
		"-- login a":            "mcp-login --x y -- login a",
		"store status":          "mcp-login store status --x y",
	} {
		l := testTree().Interpret(strings.Fields(typed))
		if got := l.With("--x", "y"); got.String() != want {
			t.Errorf("With() of %q = %q, want %q", typed, got, want)
		}
	}
}
