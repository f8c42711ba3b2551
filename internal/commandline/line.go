// Package commandline parses the command line. It is the only parser: flag values,
// suggested commands and shell completion all use it. It gets a description of the
// commands, and must not know what any of them does.
package commandline

import (
	"slices"
	"strings"

	"github.com/mcp-login/mcp-login/internal/exit"
	"github.com/mcp-login/mcp-login/internal/suggest"
)

// Line is a parsed command line.
//
// Flags may stand before or after the arguments. "--" ends them, and so does
// the first word of another program's command line, which is never interpreted.
type Line struct {
	Parts   []Part
	Path    []string   // names of the command and of the groups it is in
	Command *Command   // nil: none yet
	Next    []*Command // commands that may follow
	Args    []string   // without the program to run
	Program []string   // the command line of the program to run; nil: none
	Open    string     // flag without its value; "": none
	Ended   bool       // by "--"
	Help    bool       // is asked for
	HelpAll bool       // with every flag
	common  []Flag
	foreign error // error in the words of another program
}

// Part is one word of a command line, or a flag with its value as two words.
type Part struct {
	Words  []string // as they were typed
	IsFlag bool
	Flag   string // its name
	Value  string
	bare   bool // without a value; once the command is known: although it requires one
}

// Interpret parses the words of a command line.
func (t Tree) Interpret(words []string) Line {
	l := Line{Next: t.Commands, common: t.Flags}
	for len(words) > 0 && l.Program == nil {
		before := l.Command
		p := l.read(words)
		l.Parts = append(l.Parts, p)
		words = words[len(p.Words):]
		if l.Command != before {
			words = l.adapt(words)
		}
	}
	for i := range l.Parts {
		l.settle(&l.Parts[i])
	}
	return l
}

// adapt returns the command's own words for the rest of the line.
func (l *Line) adapt(words []string) []string {
	if l.Command.Adapt == nil {
		return words
	}
	own, err := l.Command.Adapt(words, func(flag string) (known, value bool) { return l.Takes(flag), l.takesValue(flag) })
	if err != nil {
		l.foreign = err
		return words
	}
	return own
}

// read parses the first part of the words.
func (l *Line) read(words []string) Part {
	word := words[0]
	switch {
	case !l.Ended && word == "--":
		l.Ended = true
	case !l.Ended && len(word) > 1 && word[0] == '-':
		return l.readFlag(words)
	case l.ProgramNext():
		l.Program = words
		return Part{Words: words}
	default:
		l.readWord(word)
	}
	return Part{Words: words[:1]}
}

// ProgramNext reports whether the next argument starts the command line of
// another program.
func (l *Line) ProgramNext() bool {
	return l.Command != nil && slices.Index(strings.Fields(l.Command.Args), Program) == len(l.Args)
}

func (l *Line) readWord(word string) {
	next := find(l.Next, word)
	switch {
	case len(l.Args) > 0 || l.Ended && l.Runs() || next == nil && (word != "help" || len(l.Next) == 0):
		l.Args = append(l.Args, word)
	case next == nil:
		l.Help = true
	default:
		l.Path, l.Command, l.Next = append(l.Path, next.Name), next, next.Commands
	}
}

// readFlag parses a flag as package flag does: with one dash or two, and its
// value in the same word or the next.
func (l *Line) readFlag(words []string) Part {
	name, value, assigned := strings.Cut(FlagName(words[0]), "=")
	p := Part{Words: words[:1], IsFlag: true, Flag: name, Value: value, bare: !assigned}
	switch {
	case assigned:
	case name == "help" || name == "h" || name == HelpAll:
		l.Help, l.HelpAll = true, l.HelpAll || name == HelpAll
		return Part{Words: p.Words}
	case name == "version" && l.Command == nil && find(l.Next, name) != nil:
		l.readWord(name)
		return Part{Words: p.Words}
	case !l.takesValue(name):
	case len(words) == 1:
		l.Open = name
	default:
		p.Words, p.Value, p.bare = words[:2], words[1], false
	}
	return p
}

// settle completes a flag when the command is known: a flag before the
// command's name may belong to the command.
func (l *Line) settle(p *Part) {
	if p.bare && l.Takes(p.Flag) && !l.takesValue(p.Flag) {
		p.Value, p.bare = "true", false
	}
}

// Flags returns the possible flags: before a command's name, the global flags.
func (l *Line) Flags() []Flag {
	if !l.Runs() {
		return l.common
	}
	return l.Command.Flags
}

// Own returns the flags of the command except the global ones.
func (l *Line) Own() []Flag {
	return slices.DeleteFunc(slices.Clone(l.Flags()), func(f Flag) bool {
		_, common := flagNamed(l.common, f.Name)
		return common
	})
}

// Runs reports whether the line names a command, not only a group of commands.
func (l *Line) Runs() bool { return l.Command != nil && l.Command.Runs() }

// CheckArgs returns an error for a wrong number of arguments.
func (l *Line) CheckArgs() error { return l.Command.countArgs(slices.Concat(l.Args, l.Program)) }

// Check returns an error for an invalid line, except for the number of
// arguments.
func (l *Line) Check() error {
	if l.foreign != nil {
		return exit.Usage(l.foreign)
	}
	for _, p := range l.Parts {
		switch known := l.Takes(p.Flag); {
		case !p.IsFlag:
		case !known && l.Command == nil:
			return exit.Usagef("unknown flag %q before the command%s", p.typedName(), l.meantFlag(p.Flag))
		case !known:
			return exit.Usagef("unknown flag %q%s", p.typedName(), l.meantFlag(p.Flag))
		case p.bare:
			return exit.Usagef("the flag %s needs a value", p.typedName())
		}
	}
	if l.Command == nil && len(l.Args) > 0 {
		return exit.Usagef("unknown command %q%s", l.Args[0], Meant(l.Args[0], l.Next))
	}
	return nil
}

// meantFlag asks whether a known flag was meant.
func (l *Line) meantFlag(name string) string {
	known := []string{"help", HelpAll}
	if l.Command == nil {
		known = append(known, "version")
	}
	for _, f := range l.Flags() {
		known = append(known, f.Name)
	}
	if meant, ok := suggest.Closest(name, known); ok && meant != name {
		return ", did you mean --" + meant + "?"
	}
	return ""
}

// Meant asks whether a known command was meant.
func Meant(name string, commands []*Command) string {
	known := []string{"help"}
	for _, c := range commands {
		known = append(known, c.Name)
	}
	return strings.TrimSuffix(suggest.DidYouMean(name, known), ".")
}

// Values returns the typed values of a flag, in order; nil if it was not typed.
func (l *Line) Values(flag string) []string {
	var values []string
	for _, p := range l.Parts {
		if p.IsFlag && p.Flag == flag && !p.bare {
			values = append(values, p.Value)
		}
	}
	return values
}

// Value returns the last typed value of a flag, which is the effective one.
func (l *Line) Value(flag string) (value string, typed bool) {
	values := l.Values(flag)
	if len(values) == 0 {
		return "", false
	}
	return values[len(values)-1], true
}

// WordCount returns the number of typed words.
func (l *Line) WordCount() (words int) {
	for _, p := range l.Parts {
		words += len(p.Words)
	}
	return words
}

// Again returns the line as a command to paste. Edit returns the words of each part.
func (l *Line) Again(edit func(Part) []string) suggest.Command {
	words := suggest.MCPLogin()
	for _, p := range l.Parts {
		words = words.With(edit(p)...)
	}
	return words
}

// With returns the line as a command to paste, with more flags after the command's name.
// They replace typed flags of the same names, except those that can be repeated.
func (l *Line) With(flags ...string) suggest.Command {
	path, placed := l.Path, false
	return l.Again(func(p Part) []string {
		switch {
		case p.IsFlag && !l.repeats(p.Flag) && slices.Contains(flags, "--"+p.Flag):
			return nil
		case placed:
		case p.Words[0] == "--": // ends the flags
			placed = true
			return slices.Concat(flags, p.Words)
		case len(path) > 0 && p.Words[0] == path[0]:
			if path = path[1:]; len(path) == 0 {
				placed = true
				return slices.Concat(p.Words, flags)
			}
		}
		return p.Words
	})
}

// typedName returns a flag's name with the dashes that were typed.
func (p Part) typedName() string {
	name, _, _ := strings.Cut(p.Words[0], "=")
	return name
}

// Typed returns the words as they were typed.
func (p Part) Typed() []string { return p.Words }

// The flags that ask for help.
const (
	HelpFlag = "--help"
	HelpAll  = "help-all"
)

// FlagName returns a word without the one or two dashes of a flag.
func FlagName(word string) string {
	return strings.TrimPrefix(strings.TrimPrefix(word, "-"), "-")
}

// Find returns the flag with a name, if it is possible here.
func (l *Line) Find(name string) (Flag, bool) { return flagNamed(l.Flags(), name) }

// Takes reports whether a flag is possible here.
func (l *Line) Takes(name string) bool {
	_, found := l.Find(name)
	return found
}

func (l *Line) takesValue(name string) bool {
	f, found := l.Find(name)
	return found && !f.Bool
}

func (l *Line) repeats(name string) bool {
	f, _ := l.Find(name)
	return f.List
}

// Profiles returns the profiles among the arguments.
func (l *Line) Profiles() []string { return l.Command.profiles(l.Args) }

// Starts reports whether the line has one of these commands, or a command of one
// of these groups.
func (l *Line) Starts(names ...string) bool {
	return len(l.Path) > 0 && slices.Contains(names, l.Path[0])
}

// Repeated returns those of the flags that were typed, without the named ones, in the
// words that were typed.
func (l *Line) Repeated(flags []Flag, but ...string) []string {
	var words []string
	for _, p := range l.Parts {
		if _, found := flagNamed(flags, p.Flag); p.IsFlag && found && !slices.Contains(but, p.Flag) {
			words = append(words, p.Words...)
		}
	}
	return words
}
