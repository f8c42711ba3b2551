package terminal

import (
	"io"
	"os"
	"slices"
	"strings"

	"github.com/mcp-login/mcp-login/internal/printable"
)

// Styles are the styles of text for people on one stream. The zero value is
// plain: without colors and symbols.
type Styles struct{ on bool }

// Styles returns the styles of a stream: none unless it is a terminal that
// understands them, and none in a CI job or with NO_COLOR.
func (s Streams) Styles(w io.Writer) Styles {
	if d, ok := w.(*Display); ok {
		w = d.w
	}
	f, ok := w.(*os.File)
	return Styles{on: ok && !s.inCI() && s.escapes() && isTerminal(f)}
}

// lead is a prefix of lines with their style.
type lead struct {
	begins string
	symbol string
	first  style // of the symbol and the beginning
	rest   style
}

// leads are the kinds of messages. The prefix of a line is always this program's
// own text; text of a server follows it.
var leads = []lead{
	{"mcp-login: ", "✗ ", red, plain},
	{"warning: ", "! ", magenta, plain},
	{"caution: ", "! ", magenta, plain},
	{"signed in ", "✓ ", green, plain},
	{"signed out ", "✓ ", green, plain},
	{"hint: ", "", dim, bold},
	{"next: ", "", dim, bold},
	{"Run ", "", plain, bold},
}

// symbolWidth is the width of the symbol of a lead.
const symbolWidth = 2

// isProse reports a message that is a sentence. Others have commands and rows, which are
// copied and compared.
func isProse(text string) bool {
	for _, begins := range []string{"mcp-login: ", "warning: ", "caution: "} {
		if strings.HasPrefix(text, begins) {
			return true
		}
	}
	return false
}

// line styles a message by its prefix only, so that quoted text does not affect
// the style.
func (s Styles) line(text string) line {
	for _, l := range leads {
		if rest, ok := strings.CutPrefix(text, l.begins); ok && s.on {
			return line{{l.symbol + l.begins, l.first}, {rest, l.rest}}
		}
	}
	return line{{text, plain}}
}

// show returns a line as the stream gets it.
func (s Styles) show(l line) string {
	if !s.on {
		return printable.Line(l.String())
	}
	return l.ansi()
}

// Text is text for people in styles, line by line. The zero value is empty.
type Text struct{ lines []textLine }

// textLine is a line of a text. If it is wider than the terminal, continuation lines
// are indented by this; 0: the terminal wraps it.
type textLine struct {
	line
	indent int
	second int // where a second part begins, in bytes, which gets a line to itself then; 0: none
}

func (t *Text) add(l line) { t.lines = append(t.lines, textLine{line: l}) }

// Add adds lines in no style. A text without a line adds an empty one.
func (t *Text) Add(texts ...string) {
	for _, s := range texts {
		t.add(text(s, plain))
	}
}

// Blank adds an empty line.
func (t *Text) Blank() { t.Add("") }

// Heading adds a title.
func (t *Text) Heading(title string) { t.add(text(title, bold)) }

// Hanging adds a line, whose continuation is indented where the terminal is narrower.
func (t *Text) Hanging(indent int, s string) {
	t.lines = append(t.lines, textLine{line: text(OneLine(s), plain), indent: indent})
}

// Beside is Hanging for a line of two parts. Where both do not fit, the second begins a
// line.
func (t *Text) Beside(indent int, first, second string) {
	first = OneLine(first)
	t.lines = append(t.lines, textLine{text(first+OneLine(second), plain), indent, len(first)})
}

// Wrapped adds a text, broken at spaces, with each line indented.
func (t *Text) Wrapped(s string, indent, cols int) {
	for _, l := range Wrap(s, max(cols-indent, minText)) {
		t.Add(strings.Repeat(" ", indent) + l)
	}
}

// minText is the narrowest column of text.
const minText = 20

// Entries adds terms beside what they mean, broken to fit. A term that is wider
// than widest has a line to itself.
func (t *Text) Entries(entries [][2]string, widest, cols int) {
	column := 0
	for _, e := range entries {
		if w := width(e[0]); w <= widest {
			column = max(column, w)
		}
	}
	for _, e := range entries {
		about := Wrap(e[1], max(cols-column-2*gutter, minText))
		term := line{{strings.Repeat(" ", gutter), plain}, {e[0], bold}}
		if width(e[0]) > column || len(about) == 0 {
			t.add(term)
			term = nil
		}
		for _, l := range about {
			pad := column + 2*gutter - term.width()
			t.add(append(term, span{strings.Repeat(" ", pad) + l, plain}))
			term = nil
		}
	}
}

// gutter is the indentation of entries and the space between their columns.
const gutter = 2

// String returns the text without its styles.
func (t *Text) String() string {
	var b strings.Builder
	for _, l := range t.lines {
		b.WriteString(l.String() + "\n")
	}
	return b.String()
}

// fit returns the text for a terminal of cols columns; 0: for none.
func (t *Text) fit(cols int) *Text {
	var fitted Text
	for _, l := range t.lines {
		if l.indent == 0 {
			fitted.add(l.line)
			continue
		}
		first, last := l.line[0].style, l.line[len(l.line)-1].style
		for i, folded := range l.fold(cols) {
			head := leading(folded, l.indent)
			if i > 0 { // all of it continues what is last
				head = ""
			}
			fitted.add(line{{head, first}, {folded[len(head):], last}})
		}
	}
	return &fitted
}

// fold breaks a line to fit cols columns.
func (l textLine) fold(cols int) []string {
	s := l.String()
	if l.second == 0 || cols <= 0 || l.width() <= cols {
		return fold(s, l.indent, cols)
	}
	first, second := strings.TrimRight(s[:l.second], " "), strings.Repeat(" ", l.indent)+s[l.second:]
	return append(fold(first, l.indent, cols), fold(second, l.indent, cols)...)
}

// Print writes a text in styles.
func (d *Display) Print(t *Text) error {
	if d.ci || !d.styles.on {
		_, err := io.WriteString(d, t.String())
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	var b strings.Builder
	for _, l := range t.lines {
		b.WriteString(d.styles.show(l.line) + "\n")
	}
	_, err := io.WriteString(d.w, b.String())
	return err
}

// Mark says how a cell looks.
type Mark int

// The marks.
const (
	Unmarked Mark = iota
	Good
	Doubtful
	Bad
)

func (m Mark) style() style { return [...]style{plain, green, magenta, red}[m] }

// Cell is one cell of a table.
type Cell struct {
	Text string
	Mark Mark
}

// Rows adds a table, with columns as wide as their widest cells.
func (t *Text) Rows(header []string, rows [][]Cell) {
	widths := make([]int, len(header))
	for i, title := range header {
		widths[i] = width(title)
	}
	for _, cells := range rows {
		for i := range cells {
			cells[i].Text = OneLine(cells[i].Text)
			widths[i] = max(widths[i], width(cells[i].Text))
		}
	}
	var titles line
	for i, title := range header {
		titles = append(titles, padded(title, bold, widths, i)...)
	}
	t.add(titles)
	for _, cells := range rows {
		var l line
		for i, c := range cells {
			l = append(l, padded(c.Text, c.Mark.style(), widths, i)...)
		}
		t.add(l)
	}
}

// Fact is a value with a label.
type Fact struct {
	Label string
	Value Cell
}

// Facts adds labels beside their values, which are broken between words to fit. Facts
// with empty values are omitted.
func (t *Text) Facts(facts []Fact) {
	facts = slices.DeleteFunc(slices.Clone(facts), func(f Fact) bool { return f.Value.Text == "" })
	widths := []int{0, 0}
	for _, f := range facts {
		widths[0] = max(widths[0], width(f.Label))
	}
	for _, f := range facts {
		l := append(padded(f.Label, dim, widths, 0), span{OneLine(f.Value.Text), f.Value.Mark.style()})
		t.lines = append(t.lines, textLine{line: l, indent: widths[0] + gutter})
	}
}

// padded returns a cell with trailing spaces, except for the last cell of a
// row.
func padded(text string, s style, widths []int, i int) line {
	l := line{{text, s}}
	if i < len(widths)-1 {
		l = append(l, line{{strings.Repeat(" ", widths[i]-width(text)+gutter), plain}}...)
	}
	return l
}
