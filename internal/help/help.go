// Package help formats the help of a program: its commands and flags in groups,
// for the width of a terminal. It must not know which commands there are, or how
// a command line is parsed: it gets a description of both.
package help

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mcp-login/mcp-login/internal/terminal"
)

// Flag describes one flag.
type Flag struct {
	Name        string
	Placeholder string // of its value, such as FILE; "": it takes none
	About       string // sentences: the first is all that Short shows
	Default     string // "": none worth showing
	Variable    string // environment variable; "": none
	Group       string
}

// Common is the group of flags that most people need. It is shown first.
const Common = "Common"

// The groups of the other flags.
const (
	Tools      = "Tools"
	Browser    = "Browser"
	Client     = "Client registration"
	Enterprise = "Enterprise and CI"
	Overrides  = "Server overrides"
	Store      = "Store"
	Network    = "Network"
	Global     = "Global"
)

// FlagGroups returns the groups in their order, without Common.
func FlagGroups() []string {
	return []string{Tools, Browser, Client, Enterprise, Overrides, Store, Network, Global}
}

// NewFlag returns the description of a flag from its usage text, in which the
// placeholder is in backquotes.
func NewFlag(name, usage string) Flag {
	before, rest, found := strings.Cut(usage, "`")
	placeholder, after, closed := strings.Cut(rest, "`")
	if !found || !closed {
		return Flag{Name: name, About: usage, Group: Common}
	}
	shown := placeholder
	if before == "" && !acronym(placeholder) { // it begins a sentence
		shown = shown[:1] + strings.ToLower(shown[1:])
	}
	return Flag{Name: name, About: before + shown + after, Placeholder: placeholder, Group: Common}
}

func acronym(word string) bool {
	return word == "URL" || word == "ID" || word == "JSON" || word == "URN"
}

// Term is the flag as it is typed.
func (f Flag) Term() string { return strings.TrimRight("--"+f.Name+" "+f.Placeholder, " ") }

// Text is what the flag does, with its default.
func (f Flag) Text() string {
	if f.Default == "" {
		return f.About
	}
	return fmt.Sprintf("%s (default: %s)", f.About, f.Default)
}

// Brief is the first sentence about the flag, without the full stop.
func (f Flag) Brief() string {
	brief, _, _ := strings.Cut(f.About, ". ")
	return brief
}

// Command describes a command, or a group of commands.
type Command struct {
	Name     string // including the program and its groups
	Usage    string // what follows the name
	Summary  string
	About    string // paragraphs: the first is all that Short shows
	Examples []string
	Flags    []Flag
	Group    string
	Commands []Command // below it
	Often    bool      // commonly used
}

// Program describes the whole program.
type Program struct{ Command }

// Overview shows the commands that most people use.
func (p Program) Overview(cols int) *terminal.Text {
	t := p.head(cols)
	t.Heading("COMMON COMMANDS")
	var often []Command
	for _, c := range p.Commands {
		if c.Often {
			often = append(often, c)
		}
	}
	list(t, often, p.Name, cols)
	t.Blank()
	t.Wrapped(fmt.Sprintf("Run %s help for all commands, or %[1]s COMMAND --help for one.", p.Name), 0, cols)
	return t
}

// All shows every command.
func (p Program) All(cols int) *terminal.Text {
	t := p.head(cols)
	for _, group := range groups(p.Commands) {
		t.Heading(strings.ToUpper(group))
		var members []Command
		for _, c := range p.Commands {
			if c.Group == group {
				members = append(members, leaves(c)...)
			}
		}
		list(t, members, p.Name, cols)
		t.Blank()
	}
	t.Wrapped(fmt.Sprintf("Run %s COMMAND --help for details, or %[1]s man for the manual.", p.Name), 0, cols)
	return t
}

func (p Program) head(cols int) *terminal.Text {
	t := new(terminal.Text)
	t.Wrapped(p.Summary+".", 0, cols)
	t.Blank()
	section(t, "USAGE", p.Examples...)
	return t
}

// Short shows a command with its common flags, in few words: it fits a terminal of 24
// lines.
func (p Program) Short(c Command, cols int) *terminal.Text {
	brief := c.brief()
	t := brief.top(cols)
	brief.flags(t, Common, cols)
	var others []string
	for _, group := range FlagGroups() {
		if c.has(group) {
			others = append(others, group)
		}
	}
	if len(others) > 0 {
		t.Wrapped(fmt.Sprintf("Run %s --help-all for details and more flags: %s.", c.Name, strings.Join(others, ", ")), 0, cols)
	}
	return t
}

// brief returns a short form of a command: the first paragraph about it, and the
// first sentence about each flag.
func (c Command) brief() Command {
	c.About, _, _ = strings.Cut(c.About, "\n\n")
	c.Flags = slices.Clone(c.Flags)
	for i, f := range c.Flags {
		c.Flags[i].About = f.Brief()
	}
	return c
}

// Full shows a command with all its flags.
func (p Program) Full(c Command, cols int) *terminal.Text {
	t := c.top(cols)
	for _, group := range append([]string{Common}, FlagGroups()...) {
		c.flags(t, group, cols)
	}
	t.Wrapped(c.variables(), 0, cols)
	return t
}

// top shows all but the flags.
func (c Command) top(cols int) *terminal.Text {
	t := new(terminal.Text)
	t.Wrapped(c.Summary+".", 0, cols)
	for paragraph := range strings.SplitSeq(c.About, "\n\n") {
		t.Wrapped(paragraph, 0, cols)
	}
	t.Blank()
	if len(c.Commands) > 0 {
		t.Heading("COMMANDS")
		list(t, c.Commands, c.Name, cols)
		t.Blank()
	}
	if !c.runs() {
		t.Wrapped(fmt.Sprintf("Run %s COMMAND --help for details.", c.Name), 0, cols)
		return t
	}
	section(t, "USAGE", c.Name+" "+c.Usage)
	section(t, "EXAMPLE", c.Examples...)
	return t
}

// runs reports whether the command does something itself: a group has no flags.
func (c Command) runs() bool { return len(c.Commands) == 0 || len(c.Flags) > 0 }

// section adds a title with lines below it.
func section(t *terminal.Text, title string, lines ...string) {
	t.Heading(title)
	for _, line := range lines {
		t.Add("  " + line)
	}
	t.Blank()
}

// flags shows one group.
func (c Command) flags(t *terminal.Text, group string, cols int) {
	if !c.has(group) {
		return
	}
	title := strings.ToUpper(group) + " FLAGS"
	if group == Common {
		title = "FLAGS"
	}
	t.Heading(title)
	var entries [][2]string
	for _, f := range c.Flags {
		if f.Group == group {
			entries = append(entries, [2]string{f.Term(), f.Text()})
		}
	}
	t.Entries(entries, widestFlag, cols)
	t.Blank()
}

// widestFlag is the widest flag that has its text beside it.
const widestFlag = 24

func (c Command) has(group string) bool {
	for _, f := range c.Flags {
		if f.Group == group {
			return true
		}
	}
	return false
}

// variables says how the environment sets flags.
func (c Command) variables() string {
	example, without := "", []string(nil)
	for _, f := range c.Flags {
		switch {
		case f.Variable == "":
			without = append(without, "--"+f.Name)
		case example == "":
			example = fmt.Sprintf("%[2]s for --%[1]s", f.Name, f.Variable)
		}
	}
	if len(without) == 0 {
		return fmt.Sprintf("Each flag has an environment variable, such as %s.", example)
	}
	return fmt.Sprintf("Each flag except %s has an environment variable, such as %s.", strings.Join(without, ", "), example)
}

// list shows commands beside their summaries.
func list(t *terminal.Text, commands []Command, under string, cols int) {
	var entries [][2]string
	for _, c := range commands {
		entries = append(entries, [2]string{strings.TrimPrefix(c.Name, under+" "), c.Summary})
	}
	t.Entries(entries, widestCommand, cols)
}

const widestCommand = 20

// leaves returns the commands that can be run.
func leaves(c Command) (all []Command) {
	if c.runs() {
		all = append(all, c)
	}
	for _, below := range c.Commands {
		all = append(all, leaves(below)...)
	}
	return all
}

// groups returns the groups of commands in the order of their first members.
func groups(commands []Command) (all []string) {
	seen := map[string]bool{}
	for _, c := range commands {
		if !seen[c.Group] {
			seen[c.Group] = true
			all = append(all, c.Group)
		}
	}
	return all
}
