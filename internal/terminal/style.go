// Package terminal shows text to people and reads their answers: prompts, QR
// codes, pasted URLs, styles and tables. It knows what is shown, but not why:
// it must not know commands, flags, stores or sessions.
package terminal

import (
	"strings"
	"unicode/utf8"

	"github.com/mcp-login/mcp-login/internal/printable"
)

// Rules of what is shown:
//
//  - Stdout is data, stderr is for people. Text for people goes to the terminal
//    or to stderr, never to stdout.
//  - A prompt that waits shows what for, for whom and how long, and erases itself
//    when it is over. It never leaves a line, a color, a hidden cursor or the
//    alternate screen behind, not even on Ctrl-C.
//  - The code and the whole link are always on the screen, as text that can be
//    copied. A QR code is only ever added. A window too small for code and link
//    gets them as plain text, which scrolls.
//  - The parties are on the screen: the MCP server, the client, the host where
//    the user signs in and the issuer of the token; a warning if these are in
//    different domains; and a reminder to approve only one's own login. In a
//    small window blank lines, the box and the title go first.
//  - Color helps and never informs: bold for text to type and titles, magenta for
//    warnings, red for errors, green for what is done, dim for labels. All are
//    legible on dark and light screens. Without a terminal, with NO_COLOR set or
//    on a dumb terminal there is no escape sequence and no symbol at all.
//  - Nothing blinks, spins or scrolls. One line changes, once a second.
//  - Text for people goes through a Display, or through line.ansi in a frame:
//    only this package's own styles control a terminal. oauth.Sanitize also
//    limits the length of a server's text.
//  - A command to paste is a suggest.Command, which quotes its words.
//  - Sentences are short. A state starts in lower case.

// style is the style of a piece of a line.
type style string

// The styles, as SGR parameters. The QR code is black on white from the color
// cube, which themes do not change: it scans on dark and light terminals.
const (
	plain     style = ""
	bold      style = "1"
	dim       style = "2"
	underline style = "4"
	red       style = "31"
	green     style = "32"
	magenta   style = "35"
	qrLight   style = "38;5;16;48;5;231" // dark ink on a light cell
	qrDark    style = "38;5;231;48;5;16" // light ink on a dark cell

	// flowing underlines a full line of a link that the next line continues. The
	// terminal itself breaks the link there, so that it can be copied whole.
	flowing style = "4;flow"

	// hyperlink underlines a URL that leads to itself (OSC 8), also where a window
	// wraps it.
	hyperlink style = "4;link"
)

// span is a piece of a line in one style.
type span struct {
	text  string
	style style
}

// line is one line of the screen.
type line []span

// text returns a line in one style.
func text(s string, st style) line { return line{{s, st}} }

// String returns the line without its styles.
func (l line) String() string {
	var b strings.Builder
	for _, s := range l {
		b.WriteString(s.text)
	}
	return b.String()
}

// ansi returns the line with its styles as escape sequences. It drops escape
// sequences in the text itself.
func (l line) ansi() string {
	var b strings.Builder
	for _, s := range l {
		shown := printable.Line(s.text)
		switch s.style {
		case plain:
		case flowing:
			shown = "\x1b[4m" + shown + "\x1b[m"
		case hyperlink:
			shown = "\x1b[4m\x1b]8;;" + shown + "\x1b\\" + shown + "\x1b]8;;\x1b\\\x1b[m"
		default:
			shown = "\x1b[" + string(s.style) + "m" + shown + "\x1b[m"
		}
		b.WriteString(shown)
	}
	return b.String()
}

// flows reports whether the next line continues this one.
func (l line) flows() bool { return len(l) == 1 && l[0].style == flowing }

// joined returns the lines with those that flow into the next made one.
func joined(lines []line) []line {
	var out []line
	flows := false
	for _, l := range lines {
		if last := len(out) - 1; flows {
			out[last] = text(out[last].String()+l.String(), underline)
		} else {
			out = append(out, l)
		}
		flows = l.flows()
	}
	return out
}

// width returns how many columns the line takes.
func (l line) width() int { return width(l.String()) }

// width returns how many columns a text takes at most: every character from the
// Hangul Jamo on counts as wide.
func width(s string) int {
	n := utf8.RuneCountInString(s)
	for _, r := range s {
		if r >= 0x1100 && !drawing(r) {
			n++
		}
	}
	return n
}

// drawing reports whether a character above U+1100 is one that this package
// draws with: punctuation, box drawing and block elements.
func drawing(r rune) bool { return r >= 0x2010 && r < 0x25A0 }

// cut breaks a text into pieces of at most cols columns, at any character.
func cut(s string, cols int) []string {
	cols = max(cols, 1)
	pieces := []string{""}
	for _, r := range s {
		last := &pieces[len(pieces)-1]
		if *last != "" && width(*last)+width(string(r)) > cols {
			pieces = append(pieces, "")
			last = &pieces[len(pieces)-1]
		}
		*last += string(r)
	}
	return pieces
}
