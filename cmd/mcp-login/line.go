package main

import (
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/mcp-login/mcp-login/internal/suggest"
)

// commandLine is what was typed after the program's name, interpreted. Nothing
// else interprets it: what the framework parses, which flags were typed, the
// line printed to be pasted again and what a shell completes are read from here.
//
// Flags may stand before or after the arguments. "--" ends them, and so does
// the first word of another program's command line, which is never looked at.
type commandLine struct {
	parts   []part
	path    []string       // names of the command and of the groups it is in
	command *cli.Command   // nil: none yet
	next    []*cli.Command // that may follow
	args    []string       // without the program to run
	program []string       // the command line of the program to run; nil: none
	open    string         // flag that lacks its value; "": none
	ended   bool           // by "--"
	help    bool           // is asked for
	helpAll bool           // with every flag
}

// part is one word of a command line, or a flag and its value in two.
type part struct {
	words  []string // as they were typed
	isFlag bool
	flag   string // its name
	value  string
	bare   bool // it has no value; once the command is known: although it needs one
}

// programUsage stands in a command's usage where another program's command line
// begins.
const programUsage = "CMD..."

// interpret reads the words of a command line, given the first commands of the
// tree.
func interpret(commands []*cli.Command, words []string) commandLine {
	l := commandLine{next: commands}
	for len(words) > 0 && l.program == nil {
		p := l.read(words)
		l.parts = append(l.parts, p)
		words = words[len(p.words):]
	}
	for i := range l.parts {
		l.settle(&l.parts[i])
	}
	return l
}

// read interprets the part that the words begin with.
func (l *commandLine) read(words []string) part {
	word := words[0]
	switch {
	case !l.ended && word == "--":
		l.ended = true
	case !l.ended && len(word) > 1 && word[0] == '-':
		return l.readFlag(words)
	case l.programNext():
		l.program = words
		return part{words: words}
	default:
		l.readWord(word)
	}
	return part{words: words[:1]}
}

// programNext reports whether the next word that is no flag begins the command
// line of another program.
func (l *commandLine) programNext() bool {
	return l.command != nil && slices.Index(strings.Fields(l.command.ArgsUsage), programUsage) == len(l.args)
}

func (l *commandLine) readWord(word string) {
	next := find(l.next, word)
	switch {
	case len(l.args) > 0 || next == nil && (word != "help" || len(l.next) == 0):
		l.args = append(l.args, word)
	case next == nil:
		l.help = true
	default:
		l.path, l.command, l.next = append(l.path, next.Name), next, next.Subcommands
	}
}

// readFlag reads a flag as the flag package does: with one dash or two, its
// value in the same word or the next.
func (l *commandLine) readFlag(words []string) part {
	name, value, assigned := strings.Cut(flagName(words[0]), "=")
	p := part{words: words[:1], isFlag: true, flag: name, value: value, bare: !assigned}
	switch {
	case assigned:
	case name == "help" || name == "h" || name == helpAll:
		l.help, l.helpAll = true, l.helpAll || name == helpAll
		return part{words: p.words}
	case name == "version" && l.command == nil && find(l.next, name) != nil:
		l.readWord(name)
		return part{words: p.words}
	case !takesValue(findFlag(l.flags(), name)):
	case len(words) == 1:
		l.open = name
	default:
		p.words, p.value, p.bare = words[:2], words[1], false
	}
	return p
}

// settle completes a flag when the command is known: one that was typed before
// the command's name may be the command's own.
func (l *commandLine) settle(p *part) {
	if f := findFlag(l.flags(), p.flag); p.bare && f != nil && !takesValue(f) {
		p.value, p.bare = "true", false
	}
}

// flags returns those that may be typed: before a command's name, those that
// every command has.
func (l *commandLine) flags() []cli.Flag {
	if l.command == nil || len(l.next) > 0 {
		return new(common).flags()
	}
	return l.command.Flags
}

// runs reports whether the line names a command, not only a group of commands.
func (l *commandLine) runs() bool { return l.command != nil && len(l.next) == 0 }

// check returns what is wrong with the line, whatever the command.
func (l *commandLine) check() error {
	for _, p := range l.parts {
		switch known := findFlag(l.flags(), p.flag) != nil; {
		case !p.isFlag:
		case !known && l.command == nil:
			return usagef("unknown flag %q before the name of a command%s", "--"+p.flag, l.meantFlag(p.flag))
		case !known:
			return usagef("unknown flag %q%s", "--"+p.flag, l.meantFlag(p.flag))
		case p.bare:
			return usagef("the flag --%s needs a value", p.flag)
		}
	}
	if l.command == nil && len(l.args) > 0 {
		return usagef("unknown command %q%s", l.args[0], meantCommand(l.args[0], l.next))
	}
	return nil
}

// meantFlag asks whether a known flag was meant.
func (l *commandLine) meantFlag(name string) string {
	var known []string
	for _, f := range l.flags() {
		known = append(known, f.Names()[0])
	}
	if meant, ok := suggest.Closest(name, known); ok {
		return ", did you mean --" + meant + "?"
	}
	return ""
}

// meantCommand asks whether a known command was meant.
func meantCommand(name string, commands []*cli.Command) string {
	var known []string
	for _, c := range commands {
		known = append(known, c.Name)
	}
	return strings.TrimSuffix(didYouMean(name, known), ".")
}

// parsable returns the line as the framework parses it, which wants the flags
// before the arguments.
func (l *commandLine) parsable() []string {
	words := slices.Clone(l.path)
	for _, p := range l.parts {
		if p.isFlag && len(l.next) == 0 { // a group of commands has no flags
			words = append(words, "--"+p.flag+"="+p.value)
		}
	}
	if arguments := slices.Concat(l.args, l.program); len(arguments) > 0 {
		words = append(append(words, "--"), arguments...)
	}
	return words
}

// values returns what a flag was given, in order; nil: it was not typed.
func (l *commandLine) values(flag string) []string {
	var values []string
	for _, p := range l.parts {
		if p.isFlag && p.flag == flag && !p.bare {
			values = append(values, p.value)
		}
	}
	return values
}

// value returns what a flag was given last, which is what counts.
func (l *commandLine) value(flag string) (value string, typed bool) {
	values := l.values(flag)
	if len(values) == 0 {
		return "", false
	}
	return values[len(values)-1], true
}

// wordCount returns how many words were typed.
func (l *commandLine) wordCount() (words int) {
	for _, p := range l.parts {
		words += len(p.words)
	}
	return words
}

// again returns the line to be pasted, each of its parts as edit has it.
func (l *commandLine) again(edit func(part) []string) suggest.Command {
	words := suggest.MCPLogin()
	for _, p := range l.parts {
		words = words.With(edit(p)...)
	}
	return words
}

// with returns the line to be pasted, with more flags after the command's name. A
// typed flag of the same name makes way, unless it may be repeated.
func (l *commandLine) with(flags ...string) suggest.Command {
	path, placed := l.path, false
	return l.again(func(p part) []string {
		switch {
		case p.isFlag && !repeats(findFlag(l.flags(), p.flag)) && slices.Contains(flags, "--"+p.flag):
			return nil
		case placed:
		case p.words[0] == "--": // ends the flags
			placed = true
			return slices.Concat(flags, p.words)
		case len(path) > 0 && p.words[0] == path[0]:
			if path = path[1:]; len(path) == 0 {
				placed = true
				return slices.Concat(p.words, flags)
			}
		}
		return p.words
	})
}

// repeats reports whether a flag may be given more than once.
func repeats(f cli.Flag) bool {
	_, slice := f.(*cli.StringSliceFlag)
	return slice
}

// typed returns the words as they were typed.
func (p part) typed() []string { return p.words }

const (
	helpFlag = "--help"
	helpAll  = "help-all"
)

// flagName returns a word without the one or two dashes of a flag.
func flagName(word string) string {
	return strings.TrimPrefix(strings.TrimPrefix(word, "-"), "-")
}

func takesValue(f cli.Flag) bool {
	_, isBool := f.(*cli.BoolFlag)
	return f != nil && !isBool
}

func findFlag(flags []cli.Flag, name string) cli.Flag {
	i := slices.IndexFunc(flags, func(f cli.Flag) bool { return slices.Contains(f.Names(), name) })
	if i < 0 {
		return nil
	}
	return flags[i]
}

func find(commands []*cli.Command, name string) *cli.Command {
	for _, c := range commands {
		if c.HasName(name) {
			return c
		}
	}
	return nil
}
