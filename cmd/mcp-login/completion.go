package main

import (
	"bytes"
	"cmp"
	"context"
	"embed"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/mcp-login/mcp-login/agent"
)

// scripts are the texts that completion and hook print.
//
//go:embed shell
var scripts embed.FS

// completionShells and the extensions of their scripts.
var completionShells = []struct{ name, extension string }{
	{"bash", "bash"}, {"zsh", "zsh"}, {"fish", "fish"}, {"powershell", "ps1"},
}

func newCompletion(e *env) *cli.Command {
	var o common
	return e.command(&cli.Command{
		Name: "completion", Usage: "print what makes a shell complete commands and names",
		ArgsUsage: "SHELL", UsageText: `eval "$(mcp-login completion bash)"`,
		Description: "SHELL is bash, zsh, fish or powershell. The line goes into the shell's start-up file; " +
			"for fish it is `mcp-login completion fish | source`, " +
			"for PowerShell `mcp-login completion powershell | Out-String | Invoke-Expression`.",
	}, &o, func(_ context.Context, args []string) error { return runCompletion(e, args[0]) })
}

func runCompletion(e *env, shell string) error {
	for _, s := range completionShells {
		if s.name != shell && !(s.name == "powershell" && shell == "pwsh") {
			continue
		}
		text, err := scripts.ReadFile("shell/completion." + s.extension)
		if err != nil {
			return err
		}
		return e.answer(text)
	}
	return usagef("completion: there is none for %q, only for bash, zsh, fish and powershell", shell)
}

// completeName is what the scripts call, with the words that stand before the
// cursor. The last one, which is to be completed, has a dot before it: some
// shells drop an argument that is empty. It is no command of the tree: what it
// is given are words of another command line.
const completeName = "__complete"

// candidate is a word that may stand where the cursor is. One that begins with
// ":" asks the shell for what it knows better.
type candidate struct{ word, about string }

// What a shell is asked for. The number behind wantCommand counts the words
// before another program's command line.
const (
	wantFiles   = ":files"
	wantFolders = ":folders"
	wantCommand = ":command"
)

// runComplete prints the candidates, one a line. It is quiet about everything
// that goes wrong, and asks no server: a person is typing.
func (e *env) runComplete(ctx context.Context, words []string) error {
	if len(words) == 0 {
		return nil
	}
	commands := newApp(e).Commands
	if s, err := e.readSettings(); err == nil {
		e.settings = s
	}
	before, current := words[:len(words)-1], strings.TrimPrefix(words[len(words)-1], ".")
	var text bytes.Buffer
	for _, c := range e.candidates(ctx, read(commands, before), current) {
		switch {
		case strings.HasPrefix(c.word, ":"):
			fmt.Fprintln(&text, c.word)
		case strings.HasPrefix(c.word, current):
			fmt.Fprintf(&text, "%s\t%s\n", c.word, c.about)
		}
	}
	return e.answer(text.Bytes())
}

// typed is what the words before the cursor say.
type typed struct {
	commands []*cli.Command    // that may come next
	command  *cli.Command      // nil: none yet
	words    int               // all of them
	args     []string          //
	flag     string            // whose value comes next, "" if none does
	values   map[string]string // of the flags
	ended    bool              // by "--"
	foreign  int               // where another program's command line begins, -1: nowhere
}

// read understands words as reorder does.
func read(commands []*cli.Command, words []string) typed {
	t := typed{commands: commands, words: len(words), values: map[string]string{}, foreign: -1}
	for i, word := range words {
		switch {
		case t.flag != "":
			t.values[t.flag], t.flag = word, ""
		case !t.ended && word == "--":
			t.ended = true
		case !t.ended && len(word) > 1 && word[0] == '-':
			t.readFlag(commands, word)
		case t.startsForeign():
			t.foreign = i
			return t
		case t.ended:
			t.args = append(t.args, word)
		default:
			t.readWord(word)
		}
	}
	return t
}

// startsForeign reports whether a word that is no flag would be the first of
// another program's command line.
func (t *typed) startsForeign() bool {
	return t.command != nil && t.command.Name == execName && len(t.args) == 1
}

func (t *typed) readFlag(commands []*cli.Command, word string) {
	name, value, found := strings.Cut(strings.TrimLeft(word, "-"), "=")
	if found {
		t.values[name] = value
	} else if takesValue(commands, t.command, word) {
		t.flag = name
	}
}

func (t *typed) readWord(word string) {
	if next := find(t.commands, word); next != nil && len(t.args) == 0 {
		t.command, t.commands = next, next.Subcommands
		return
	}
	t.args = append(t.args, word)
}

// candidates returns what may come next, given how it begins.
func (e *env) candidates(ctx context.Context, t typed, current string) []candidate {
	flag, value, assigned := strings.Cut(current, "=")
	switch {
	case t.flag != "":
		return values(t.command, t.flag, current)
	case t.foreign >= 0:
		return []candidate{{word: fmt.Sprint(wantCommand, " ", t.foreign)}}
	case !t.ended && assigned && strings.HasPrefix(flag, "-"):
		found := values(t.command, strings.TrimLeft(flag, "-"), value)
		for i, c := range found {
			if !strings.HasPrefix(c.word, ":") {
				found[i].word = flag + "=" + c.word
			}
		}
		return found
	case !t.ended && strings.HasPrefix(current, "-"):
		return flagsOf(t.command)
	case t.startsForeign():
		return []candidate{{word: fmt.Sprint(wantCommand, " ", t.words)}}
	case len(t.commands) > 0 && len(t.args) == 0:
		return commandsOf(t.commands)
	case t.command != nil:
		return e.arguments(ctx, t)
	}
	return nil
}

func commandsOf(commands []*cli.Command) []candidate {
	var found []candidate
	for _, c := range commands {
		if !c.Hidden {
			found = append(found, candidate{c.Name, c.Usage})
		}
	}
	return found
}

// flagsOf returns a command's flags; before it is known, those of every one.
func flagsOf(c *cli.Command) []candidate {
	flags := new(common).flags()
	if c != nil {
		flags = c.Flags
	}
	var found []candidate
	for _, f := range flags {
		if about, ok := f.(cli.DocGenerationFlag); ok {
			found = append(found, candidate{"--" + f.Names()[0], strings.ReplaceAll(about.GetUsage(), "`", "")})
		}
	}
	return append(found, candidate{"--help", "show help"})
}

// arguments returns what the usage line has at this place.
func (e *env) arguments(ctx context.Context, t typed) []candidate {
	wanted := strings.Fields(t.command.ArgsUsage)
	if len(wanted) == 0 {
		return nil
	}
	last := wanted[len(wanted)-1]
	if len(t.args) >= len(wanted) && !strings.HasSuffix(strings.Trim(last, "[]"), "...") {
		return nil
	}
	switch strings.Trim(wanted[min(len(t.args), len(wanted)-1)], "[].") {
	case "NAME":
		return e.profiles(ctx, t)
	case "SHELL":
		var found []candidate
		for _, s := range completionShells {
			if t.command.Name == "completion" || slices.Contains(hookShells, s.name) {
				found = append(found, candidate{s.name, ""})
			}
		}
		return found
	}
	return nil
}

// profiles returns the names in the configuration and in a store of files, or
// an agent in its place, that are not yet given. A store that is a network away
// is not asked.
func (e *env) profiles(ctx context.Context, t typed) []candidate {
	var names []string
	if e.settings != nil {
		names = slices.Collect(maps.Keys(e.settings.profiles))
	}
	setting := func(flag string) string {
		return cmp.Or(t.values[flag], e.getenv(envVar(flag)[0]), e.configured(flag))
	}
	scheme, dir, err := splitStore(setting("store"))
	if socket := setting("agent-sock"); socket != "" && hasFlag(t.command, "agent-sock") {
		names = append(names, lentBy(ctx, socket)...)
	} else if err == nil && scheme != "vault" {
		names = append(names, e.storedIn(ctx, cmp.Or(dir, setting("profile-dir")))...)
	}
	slices.Sort(names)
	var found []candidate
	for _, name := range slices.Compact(names) {
		if !slices.Contains(t.args, name) {
			found = append(found, candidate{name, ""})
		}
	}
	return found
}

func hasFlag(c *cli.Command, name string) bool {
	return slices.ContainsFunc(c.Flags, func(f cli.Flag) bool { return slices.Contains(f.Names(), name) })
}

// agentPatience is how long a person who is typing waits for an agent.
const agentPatience = 500 * time.Millisecond

// lentBy lists what an agent hands out, if it says so at once.
func lentBy(ctx context.Context, socket string) []string {
	ctx, cancel := context.WithTimeout(ctx, agentPatience)
	defer cancel()
	names, err := (&agent.Client{Socket: socket}).Profiles(ctx)
	if err != nil {
		return nil
	}
	return names
}

// storedIn lists a store of files. Whoever keeps its key is not needed for that.
func (e *env) storedIn(ctx context.Context, dir string) []string {
	files, err := e.openFiles(ctx, dir, keyFile, false)
	if err != nil {
		return nil
	}
	names, err := files.List(ctx)
	if err != nil {
		return nil
	}
	return names
}
