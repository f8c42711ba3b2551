package main

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"

	"github.com/mcp-login/mcp-login/envexport"
	"github.com/mcp-login/mcp-login/internal/exit"
	"github.com/mcp-login/mcp-login/internal/help"
	"github.com/mcp-login/mcp-login/internal/redact"
	"github.com/mcp-login/mcp-login/internal/variables"
)

// testEnv is an environment with only a home folder, and no terminal.
func testEnv(t *testing.T) (e *call, out, stderr *bytes.Buffer) {
	t.Helper()
	home := t.TempDir()
	out, stderr = new(bytes.Buffer), new(bytes.Buffer)
	p := &env{
		in: strings.NewReader(""), out: out, err: stderr,
		getenv: func(name string) string { return map[string]string{"HOME": home}[name] },
		tty:    func() (*os.File, error) { return nil, os.ErrNotExist },
		hidden: &redact.Redactor{},
	}
	e = p.bare()
	e.Getenv = func(name string) string { return e.getenv(name) } // setVariables changes it
	return e, out, stderr
}

// setVariables adds variables to the environment.
func setVariables(e *call, variables map[string]string) {
	before := e.getenv
	e.getenv = func(name string) string {
		if value, ok := variables[name]; ok {
			return value
		}
		return before(name)
	}
}

// leaf is a command without subcommands, with the words of its command line.
type leaf struct {
	path []string
	*cli.Command
}

// leaves returns all commands without subcommands. Rules for every command are
// tested with all of them, so that new ones are included.
func leaves(e *call) []leaf {
	var all []leaf
	var walk func(path []string, commands []*cli.Command)
	walk = func(path []string, commands []*cli.Command) {
		for _, c := range commands {
			path := append(slices.Clone(path), c.Name)
			if len(c.Subcommands) == 0 || len(c.Flags) > 0 {
				all = append(all, leaf{path, c})
			}
			walk(path, c.Subcommands)
		}
	}
	walk(nil, allCommands(e))
	return all
}

func (l leaf) name() string { return strings.Join(l.path, " ") }

// arguments returns arguments that fit the usage line.
func (l leaf) arguments() []string {
	var args []string
	for _, word := range strings.Fields(l.ArgsUsage) {
		if word[0] == '[' {
			break
		}
		args = append(args, map[string]string{"URL": "http://127.0.0.1:1/mcp", "CMD...": "true"}[word])
		if last := &args[len(args)-1]; *last == "" {
			*last = "nobody"
		}
	}
	return args
}

// settings are flags with values that differ from the defaults.
func (l leaf) settings() []string {
	var words []string
	for _, f := range l.Flags {
		name := "--" + f.Names()[0]
		switch f := f.(type) {
		case *cli.BoolFlag:
			words = append(words, name)
		case *cli.DurationFlag:
			words = append(words, name, "17s")
		case *cli.IntFlag:
			words = append(words, name, "17")
		case *cli.StringFlag, *cli.GenericFlag:
			value := "x y"
			if name == "--transport" { // proxy parses it as mcp-remote's, too
				value = "sse"
			}
			words = append(words, name, value)
		default:
			panic(fmt.Sprintf("flag %s is a %T", name, f))
		}
	}
	return words
}

// parsed parses a command line and returns what its command would get.
func parsed(t *testing.T, args []string) (flags map[string]string, words []string) {
	t.Helper()
	flags, words, err := executed(t, args)
	if err != nil {
		t.Fatalf("%q: %v", args, err)
	}
	return flags, words
}

// TestCommandsFor: a command line that begins with a command builds only that
// command, and any other builds all of them.
func TestCommandsFor(t *testing.T) {
	e, _, _ := testEnv(t)
	all := allCommands(e)
	for i, c := range commands() {
		if tree := commandsFor(e, []string{c.name, "x", "--json"}); len(tree) != 1 || tree[0].Name != c.name || all[i].Name != c.name {
			t.Errorf("%s: %d commands", c.name, len(tree))
		}
	}
	for _, line := range []string{"", "--help", "-h env", "help env", "--store x env", "frobnicate env"} {
		if tree := commandsFor(e, strings.Fields(line)); len(tree) != len(all) {
			t.Errorf("%q: %d commands, want all", line, len(tree))
		}
	}
}

// TestFlagsBeforeAndAfter: the position of a flag does not change its meaning.
func TestFlagsBeforeAndAfter(t *testing.T) {
	e, _, _ := testEnv(t)
	for _, l := range leaves(e) {
		t.Run(l.name(), func(t *testing.T) {
			settings, arguments := l.settings(), l.arguments()
			want, wantWords := parsed(t, slices.Concat(l.path, settings, arguments))
			if !slices.Equal(wantWords, arguments) {
				t.Fatalf("arguments %q, want %q", wantWords, arguments)
			}
			flagsLast := slices.Concat(l.path, arguments, settings)
			if l.Name == execName { // after the program's name, flags are the program's
				flagsLast = slices.Concat(l.path, arguments[:1], settings, arguments[1:])
			}
			got, words := parsed(t, flagsLast)
			if !maps.Equal(got, want) || !slices.Equal(words, arguments) {
				t.Errorf("flags at the end: %v %q\nwant %v %q", got, words, want, arguments)
			}
			var shared []string
			for _, f := range l.Flags {
				if slices.ContainsFunc(new(common).flags(), func(g cli.Flag) bool { return g.Names()[0] == f.Names()[0] }) {
					shared = append(shared, "--"+f.Names()[0]+"=17s")
				}
			}
			got, _ = parsed(t, slices.Concat(shared, l.path, arguments))
			want, _ = parsed(t, slices.Concat(l.path, shared, arguments))
			if !maps.Equal(got, want) {
				t.Errorf("flags before the command: %v\nwant %v", got, want)
			}
		})
	}
}

// TestDashesEndTheFlags: the words after "--" are arguments.
func TestDashesEndTheFlags(t *testing.T) {
	e, _, _ := testEnv(t)
	for _, l := range leaves(e) {
		if _, words := parsed(t, append(slices.Clone(l.path), "--", "--json", "-x")); !slices.Equal(words, []string{"--json", "-x"}) {
			t.Errorf("%s: arguments %q", l.name(), words)
		}
	}
}

// TestUsageErrors: a wrong flag or argument is exit code 2, and prints nothing on
// standard output that a shell would run.
func TestUsageErrors(t *testing.T) {
	e, _, _ := testEnv(t)
	cases := [][]string{{}, {"no-such-command"}, {"--no-such-flag"}, {"--no-such-flag", "env"}}
	for _, l := range leaves(e) {
		cases = append(cases,
			append(slices.Clone(l.path), "--no-such-flag"),
			slices.Concat(l.path, l.arguments(), []string{"--no-such-flag=1"}),
			slices.Concat(l.path, l.arguments(), []string{"--min-ttl", "soon"}),
			slices.Concat(l.path, l.arguments(), []string{"--timeout"}),
		)
		if l.Name == execName {
			cases = cases[:len(cases)-3]
		}
		if len(l.arguments()) > 0 {
			cases = append(cases, l.path)
		}
		if !strings.Contains(l.ArgsUsage, "...") {
			cases = append(cases, slices.Concat(l.path, strings.Fields(strings.Repeat("x ", 9))))
		}
	}
	for _, args := range cases {
		e, out, stderr := testEnv(t)
		if code := run(t.Context(), args, &e.env); code != exit.BadUsage || out.String() != failure(args, code) || stderr.Len() == 0 {
			t.Errorf("%q: exit code %d, standard output %q, standard error %q", args, code, out, stderr)
		}
	}
}

// TestHelp: requested help is printed on standard output. It has an example, and
// for each flag the placeholder of its value, its default if that matters, and its
// group.
func TestHelp(t *testing.T) {
	e, _, _ := testEnv(t)
	for _, l := range leaves(e) {
		var full string
		for _, args := range [][]string{
			append(slices.Clone(l.path), "--help"), slices.Concat(l.path, l.arguments()[:min(1, len(l.arguments()))], []string{"-h"}),
			append([]string{"help"}, l.path...), append(slices.Clone(l.path), "--help-all"),
		} {
			e, out, stderr := testEnv(t)
			if code := run(t.Context(), args, &e.env); code != exit.Done || stderr.Len() > 0 {
				t.Errorf("%q: exit code %d, standard error %q", args, code, stderr)
			}
			full = out.String()
			if !strings.Contains(full, "\nEXAMPLE\n  ") || !strings.Contains(l.UsageText, "mcp-login "+l.path[0]) {
				t.Errorf("%s: no example in\n%s", l.name(), full)
			}
			if found := regexp.MustCompile(`\bvalue$|default: (none|false)|".*\(default: "`).FindString(full); found != "" {
				t.Errorf("%q shows %q", args, found)
			}
		}
		common := 0
		for _, f := range l.Flags {
			d := describeFlag(f).Help()
			if takesValue(f) != (d.Placeholder != "") {
				t.Errorf("%s --%s: the placeholder is %q", l.name(), d.Name, d.Placeholder)
			}
			if d.Group == help.Common {
				common++
			} else if !slices.Contains(help.FlagGroups(), d.Group) {
				t.Errorf("%s --%s is in no group", l.name(), d.Name)
			}
			want := "MCP_LOGIN_" + strings.ToUpper(strings.ReplaceAll(d.Name, "-", "_"))
			if d.Variable != want && (d.Variable != "" || variables.OfFlag(d.Name) != "" && !strings.Contains(full, "--"+d.Name)) {
				t.Errorf("%s --%s: the variable is %q", l.name(), d.Name, d.Variable)
			}
			if !strings.Contains(full, "\n  "+d.Term()) {
				t.Errorf("%s --help-all lacks %s", l.name(), d.Term())
			}
		}
		if common > 8 {
			t.Errorf("%s has %d common flags, want at most 8", l.name(), common)
		}
	}
}

// TestOverview: mcp-login without arguments shows the ten most used commands on one
// screen; help and --help show all of them.
func TestOverview(t *testing.T) {
	e, out, stderr := testEnv(t)
	if code := run(t.Context(), nil, &e.env); code != exit.BadUsage || out.Len() > 0 {
		t.Errorf("exit code %d, standard output %q", code, out)
	}
	_, list, _ := strings.Cut(stderr.String(), "COMMON COMMANDS\n")
	list, _, _ = strings.Cut(list, "\n\n")
	if n := strings.Count(list, "\n") + 1; n != 10 || strings.Count(stderr.String(), "\n") > 24 {
		t.Errorf("%d commands in\n%s", n, stderr)
	}
	for _, args := range [][]string{{"help"}, {"--help"}, {"-h"}} {
		e, out, stderr := testEnv(t)
		if code := run(t.Context(), args, &e.env); code != exit.Done || stderr.Len() > 0 {
			t.Errorf("%q: exit code %d, standard error %q", args, code, stderr)
		}
		for _, l := range leaves(e) {
			if !strings.Contains(out.String(), "\n  "+l.name()+" ") {
				t.Errorf("%q does not list %s", args, l.name())
			}
		}
	}
}

// TestUsageErrorIsTwoLines: the error, with a similar word if there is one, and the
// command that shows more help.
func TestUsageErrorIsTwoLines(t *testing.T) {
	for line, want := range map[string]string{
		"lgoin":                     "mcp-login: unknown command \"lgoin\", did you mean login?\nRun mcp-login --help\n",
		"hlep":                      "mcp-login: unknown command \"hlep\", did you mean help?\nRun mcp-login --help\n",
		"--verison":                 "mcp-login: unknown flag \"--verison\" before the command, did you mean --version?\nRun mcp-login --help\n",
		"login --hlep":              "mcp-login: unknown flag \"--hlep\", did you mean --help?\nRun mcp-login login --help\n",
		"help lgoin":                "mcp-login: unknown command \"lgoin\", did you mean login?\nRun mcp-login --help\n",
		"store statsu":              "mcp-login: unknown command \"store statsu\", did you mean status?\nRun mcp-login store --help\n",
		"login a --scoep x":         "mcp-login: unknown flag \"--scoep\", did you mean --scope?\nRun mcp-login login --help\n",
		"token a --frobnicate":      "mcp-login: unknown flag \"--frobnicate\"\nRun mcp-login token --help\n",
		"token a --timeout soon":    "mcp-login: --timeout \"soon\": not a duration; use 30s or 5m\nRun mcp-login token --help\n",
		"token a --timeout 30":      "mcp-login: --timeout \"30\": not a duration; use 30s or 30m\nRun mcp-login token --help\n",
		"login a --redirect-port x": "mcp-login: --redirect-port \"x\": not a number; use digits, such as 8080\nRun mcp-login login --help\n",
		"login a --copy=maybe":      "mcp-login: --copy \"maybe\": use true or false\nRun mcp-login login --help\n",
		"hook fihs":                 "mcp-login: hook: \"fihs\" is unknown, did you mean fish? Use bash, zsh or fish\nRun mcp-login hook --help\n",
		"token a --log-level debgu": "mcp-login: --log-level: \"debgu\" is unknown, did you mean debug? Use trace, debug, info, warn, error or disabled\nRun mcp-login token --help\n",
		"token a --log-format x":    "mcp-login: --log-format: \"x\" is unknown. Use text or json\nRun mcp-login token --help\n",
		"completion bsh":            "mcp-login: completion: \"bsh\" is unknown, did you mean bash? Use bash, zsh, fish or powershell\nRun mcp-login completion --help\n",
	} {
		e, out, stderr := testEnv(t)
		if code := run(t.Context(), strings.Fields(line), &e.env); code != exit.BadUsage || out.Len() > 0 || stderr.String() != want {
			t.Errorf("%s: exit code %d, standard output %q, standard error\n%swant\n%s", line, code, out, stderr, want)
		}
	}
}

// failure is the standard output of a failed command: empty, except for env, whose
// output a shell evaluates.
func failure(words []string, code int) string {
	if slices.Contains(words, envName) {
		return envexport.Failure(envexport.Sh, code)
	}
	return ""
}

// TestNoCredential: exit code 4, and the command to run.
func TestNoCredential(t *testing.T) {
	e, _, _ := testEnv(t)
	for _, l := range leaves(e) {
		if !strings.HasPrefix(l.ArgsUsage, "NAME") || l.Name == "login" {
			continue
		}
		e, out, stderr := testEnv(t)
		code := run(t.Context(), slices.Concat(l.path, l.required(), l.arguments()), &e.env)
		if code != exit.LoginRequired || out.String() != failure(l.path, code) || !strings.Contains(stderr.String(), "\nhint: mcp-login login nobody URL\n") {
			t.Errorf("%s: exit code %d, standard output %q, standard error %q", l.name(), code, out, stderr)
		}
	}
}

// required are the flags without which a command fails.
func (l leaf) required() []string {
	if l.Name == "client-config" {
		return []string{"--for", "generic"}
	}
	return nil
}

// TestStoreBroken: exit code 7, and nothing on standard output.
func TestStoreBroken(t *testing.T) {
	broken := filepath.Join(t.TempDir(), "open-to-all")
	if err := os.Mkdir(broken, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(broken, 0o777); err != nil {
		t.Fatal(err)
	}
	e, _, _ := testEnv(t)
	for _, l := range leaves(e) {
		if !strings.HasPrefix(l.ArgsUsage, "NAME") && l.Name != "list" {
			continue
		}
		e, out, stderr := testEnv(t)
		args := l.arguments()
		if l.Name == "login" {
			args = append(args, "http://127.0.0.1:1/mcp")
		}
		code := run(t.Context(), slices.Concat(l.path, l.required(), []string{"--store", "file:" + broken}, args), &e.env)
		if code != exit.Store || out.String() != failure(l.path, code) || stderr.Len() == 0 {
			t.Errorf("%s: exit code %d, standard output %q, standard error %q", l.name(), code, out, stderr)
		}
	}
}

// takesValue reports whether a flag needs a value.
func takesValue(f cli.Flag) bool {
	_, isBool := f.(*cli.BoolFlag)
	return !isBool
}
