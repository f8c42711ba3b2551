// Package manpage writes manual pages: man(7) text in which every character of a
// text means itself. It gets a description of the commands, and must not know what
// any of them does.
package manpage

import (
	"bytes"
	"strings"
)

// Page is man(7) text. The zero value is empty.
type Page struct{ bytes.Buffer }

// Term writes a tagged paragraph.
func (p *Page) Term(tag, about string) {
	p.Request("TP")
	p.Request("B", tag)
	p.Text(about)
}

// Lines writes an example with its line breaks.
func (p *Page) Lines(lines string) {
	p.Request("RS", "4")
	p.Request("nf")
	for line := range strings.Lines(lines) {
		p.Text(strings.TrimRight(line, "\n"))
	}
	p.Request("fi")
	p.Request("RE")
}

// Request writes a control line.
func (p *Page) Request(name string, args ...string) {
	p.WriteString("." + name)
	for _, arg := range args {
		p.WriteString(` "` + Escape(arg) + `"`)
	}
	p.WriteByte('\n')
}

// Text writes a text line.
func (p *Page) Text(s string) {
	s = Escape(s)
	if strings.HasPrefix(s, ".") {
		s = `\&` + s
	}
	p.WriteString(s + "\n")
}

// Escape escapes a text for a page.
func Escape(text string) string { return special.Replace(text) }

// special escapes characters that have a meaning in roff, or that are typeset
// differently: man(7), "Portability" and groff_char(7).
var special = strings.NewReplacer(`\`, `\e`, `"`, `\(dq`, `'`, `\(aq`, "`", `\(ga`, "-", `\-`, "^", `\(ha`, "~", `\(ti`)
