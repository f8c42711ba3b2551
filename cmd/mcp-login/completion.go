package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/mcp-login/mcp-login/agent"
	"github.com/mcp-login/mcp-login/internal/printable"
	"github.com/mcp-login/mcp-login/internal/shellscript"
	"github.com/mcp-login/mcp-login/internal/stores"
	"github.com/mcp-login/mcp-login/internal/suggest"
	"github.com/mcp-login/mcp-login/internal/terminal"
	"github.com/mcp-login/mcp-login/secrets"
)

func newCompletion(e *env) *cli.Command {
	var o common
	return e.command(&cli.Command{
		Name: "completion", Usage: "Generate a shell completion script",
		ArgsUsage: "SHELL", UsageText: completionExample(runtime.GOOS),
		Description: "SHELL is bash, zsh, fish or powershell. The line goes into the shell's start-up file; " +
			"for fish it is `mcp-login completion fish | source`, " +
			"for PowerShell `mcp-login completion powershell | Out-String | Invoke-Expression`.",
	}, &o, func(_ context.Context, args []string) error { return runCompletion(e, args[0]) })
}

func runCompletion(e *env, shell string) error {
	if script, ok := shellscript.Completion(shell); ok {
		return e.answerData(script)
	}
	return unknownValue("completion", shell, shellscript.CompletionShells())
}

// completeName is what the scripts call, with the words that stand before the
// cursor. The last one, which is to be completed, has a dot before it: some
// shells drop an argument that is empty. It is no command of the tree: what it
// is given are words of another command line.
const completeName = "__complete"

// candidate is a word that fits at the cursor, or a request to the shell to
// complete something that it knows better.
type candidate struct {
	kind        kind
	word, about string
	skip        int // words before another program's command line
}

// kind is the first field of a candidate's line. The scripts use nothing else to
// tell words from requests: a word can be any text from a store or an agent, and
// must never be mistaken for a request.
type kind string

const (
	aWord    kind = "w" // followed by the word and its description
	files    kind = "f"
	folders  kind = "d"
	aCommand kind = "c" // followed by the number of words to skip
)

// line returns the candidate as the scripts read it.
func (c candidate) line() string {
	switch c.kind {
	case aWord:
		return fmt.Sprintf("%s\t%s\t%s\n", c.kind, c.word, terminal.OneLine(c.about))
	case aCommand:
		return fmt.Sprintf("%s\t%d\n", c.kind, c.skip)
	}
	return string(c.kind) + "\n"
}

// offered reports whether a name from a store, the configuration or an agent may
// be completed.
func offered(name string) bool {
	return secrets.CheckName(name) == nil && name[0] != ':'
}

// runComplete prints the candidates, one a line. It is quiet about everything
// that goes wrong, and asks no server: a person is typing.
func (e *env) runComplete(ctx context.Context, words []string) error {
	if len(words) == 0 {
		return nil
	}
	commands := newApp(e).Commands
	if file, err := e.readConfig(); err == nil {
		e.file = file
	}
	before, current := words[:len(words)-1], strings.TrimPrefix(words[len(words)-1], ".")
	var text bytes.Buffer
	for _, c := range e.candidates(ctx, interpret(commands, before), current) {
		if c.kind != aWord || strings.HasPrefix(c.word, current) && printable.Is(c.word) {
			text.WriteString(c.line())
		}
	}
	return e.answerData(text.Bytes())
}

// candidates returns what may come next, given how it begins.
func (e *env) candidates(ctx context.Context, l commandLine, current string) []candidate {
	flag, value, assigned := strings.Cut(current, "=")
	switch {
	case l.open != "":
		return e.values(ctx, l, l.open, current)
	case l.program != nil:
		return []candidate{{kind: aCommand, skip: l.wordCount() - len(l.program)}}
	case !l.ended && assigned && strings.HasPrefix(flag, "-"):
		found := e.values(ctx, l, flagName(flag), value)
		for i, c := range found {
			if c.kind == aWord {
				found[i].word = flag + "=" + c.word
			}
		}
		return found
	case !l.ended && strings.HasPrefix(current, "-"):
		return flagsOf(l.flags())
	case l.programNext():
		return []candidate{{kind: aCommand, skip: l.wordCount()}}
	case len(l.next) > 0 && len(l.args) == 0:
		return commandsOf(l.next)
	case l.command != nil:
		return e.arguments(ctx, l)
	}
	return nil
}

func commandsOf(commands []*cli.Command) []candidate {
	var found []candidate
	for _, c := range commands {
		if !c.Hidden {
			found = append(found, candidate{kind: aWord, word: c.Name, about: c.Usage})
		}
	}
	return found
}

func flagsOf(flags []cli.Flag) []candidate {
	var found []candidate
	for _, f := range flags {
		found = append(found, candidate{kind: aWord, word: "--" + f.Names()[0], about: describeFlag(f).About})
	}
	return append(found,
		candidate{kind: aWord, word: helpFlag, about: "Show help"},
		candidate{kind: aWord, word: "--" + helpAll, about: "Show help on every flag"})
}

// arguments returns what the usage line has at this place.
func (e *env) arguments(ctx context.Context, l commandLine) []candidate {
	wanted := strings.Fields(l.command.ArgsUsage)
	if len(wanted) == 0 {
		return nil
	}
	last := wanted[len(wanted)-1]
	if len(l.args) >= len(wanted) && !strings.HasSuffix(strings.Trim(last, "[]"), "...") {
		return nil
	}
	switch strings.Trim(wanted[min(len(l.args), len(wanted)-1)], "[].") {
	case "NAME", nameOrURL:
		return e.profileNames(ctx, l)
	case "SHELL":
		if l.command.Name == "completion" {
			return words(shellscript.CompletionShells())
		}
		return words(shellscript.HookShells())
	}
	return nil
}

// profileNames returns the names in the configuration and in a store of files, or
// an agent in its place, that are not yet given. A store that is a network away
// is not asked.
func (e *env) profileNames(ctx context.Context, l commandLine) []candidate {
	names := e.file.Profiles()
	own := *e
	own.line = l
	setting := own.setting
	scheme, dir, err := stores.Split(setting("store"))
	if socket, asks := own.asksAgent(); asks {
		names = append(names, agentProfiles(ctx, socket)...)
	} else if err == nil && scheme != "vault" {
		names = append(names, e.storedIn(ctx, cmp.Or(dir, setting("profile-dir")))...)
	}
	slices.Sort(names)
	var found []candidate
	for _, name := range slices.Compact(names) {
		if offered(name) && !slices.Contains(l.args, name) && !slices.Contains(l.values(alsoFlag), name) {
			found = append(found, candidate{kind: aWord, word: name})
		}
	}
	return found
}

// agentPatience is how long a person who is typing waits for an agent.
const agentPatience = 500 * time.Millisecond

// agentProfiles lists the profiles that an agent keeps, if it says so at once.
func agentProfiles(ctx context.Context, socket string) []string {
	ctx, cancel := context.WithTimeout(ctx, agentPatience)
	defer cancel()
	names, err := (&agent.Client{Socket: socket}).Profiles(ctx)
	if err != nil {
		return nil
	}
	return names
}

// storedIn lists a store of files. That takes no key.
func (e *env) storedIn(ctx context.Context, dir string) []string {
	files, err := e.stores(new(common)).OpenFolder(ctx, dir)
	if err != nil {
		return nil
	}
	names, err := files.List(ctx)
	if err != nil {
		return nil
	}
	return names
}

// completionExample makes the shell complete that people on a system use.
func completionExample(goos string) string {
	shell := suggest.Native(goos)
	if shell == "sh" {
		shell = "bash"
	}
	return suggest.Source(shell, suggest.MCPLogin("completion", shell))
}
