// Package completion finds what a shell can complete at the cursor. It must not
// contact a server, prompt, or report errors, because the user is typing.
package completion

import (
	"context"
	"fmt"
	"strings"

	"github.com/mcp-login/mcp-login/internal/commandline"
	"github.com/mcp-login/mcp-login/internal/printable"
	"github.com/mcp-login/mcp-login/internal/shellscript"
	"github.com/mcp-login/mcp-login/internal/terminal"
)

// candidate is a word that fits at the cursor, or a request to the shell to
// complete something itself.
type candidate struct {
	kind        kind
	word, about string
	skip        int // words before another program's command line
}

// kind is the first field of a candidate's line. The scripts use it to
// distinguish words from requests: a word can be any text from a store or an
// agent, and must never be mistaken for a request.
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

// Words are the sources of words that are not constant.
type Words struct {
	Profiles func(context.Context) []string // the names of credentials
	Flows    []string
}

// Lines returns the candidates with the prefix current, one per line, given the
// words before it.
func (w Words) Lines(ctx context.Context, l commandline.Line, current string) []byte {
	var text []byte
	for _, c := range w.candidates(ctx, l, current) {
		if c.kind != aWord || strings.HasPrefix(c.word, current) && printable.Is(c.word) {
			text = append(text, c.line()...)
		}
	}
	return text
}

// candidates returns the candidates for the next word, given its prefix.
func (w Words) candidates(ctx context.Context, l commandline.Line, current string) []candidate {
	flag, value, assigned := strings.Cut(current, "=")
	switch {
	case l.Open != "":
		return w.values(ctx, l, l.Open, current)
	case l.Program != nil:
		return []candidate{{kind: aCommand, skip: l.WordCount() - len(l.Program)}}
	case !l.Ended && assigned && strings.HasPrefix(flag, "-"):
		found := w.values(ctx, l, commandline.FlagName(flag), value)
		for i, c := range found {
			if c.kind == aWord {
				found[i].word = flag + "=" + c.word
			}
		}
		return found
	case !l.Ended && strings.HasPrefix(current, "-"):
		return flagsOf(l.Flags())
	case l.ProgramNext():
		return []candidate{{kind: aCommand, skip: l.WordCount()}}
	}
	return w.words(ctx, l)
}

// words returns the commands and the arguments that may come next.
func (w Words) words(ctx context.Context, l commandline.Line) (found []candidate) {
	if len(l.Args) == 0 && !l.Ended {
		found = commandsOf(l.Next)
	}
	if l.Command != nil {
		found = append(found, w.arguments(ctx, l)...)
	}
	return found
}

func commandsOf(commands []*commandline.Command) []candidate {
	var found []candidate
	for _, c := range commands {
		if !c.Hidden {
			found = append(found, candidate{kind: aWord, word: c.Name, about: c.About})
		}
	}
	return found
}

func flagsOf(flags []commandline.Flag) []candidate {
	var found []candidate
	for _, f := range flags {
		found = append(found, candidate{kind: aWord, word: "--" + f.Name, about: f.Help().Brief()})
	}
	return append(found,
		candidate{kind: aWord, word: commandline.HelpFlag, about: "Show help"},
		candidate{kind: aWord, word: "--" + commandline.HelpAll, about: "Show help on every flag"})
}

// arguments returns the candidates for the argument at this position.
func (w Words) arguments(ctx context.Context, l commandline.Line) []candidate {
	switch l.Command.Placeholder(len(l.Args)) {
	case "NAME", commandline.NameOrURL:
		return w.profiles(ctx, l)
	case "SHELL":
		if l.Command.Name == "completion" {
			return words(shellscript.CompletionShells())
		}
		return words(shellscript.HookShells())
	}
	return nil
}
