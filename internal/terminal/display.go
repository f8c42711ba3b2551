package terminal

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"sync"
	"text/tabwriter"
	"unicode/utf8"

	"github.com/mcp-login/mcp-login/ci"
	"github.com/mcp-login/mcp-login/internal/printable"
)

// Display writes text for people to standard output or standard error. It drops
// unprintable characters, so that text from a server, a record or an agent cannot
// control the terminal. In a CI job it also makes sure that the runner reads no
// line as a command.
//
// Output for programs (tokens, variables, JSON, scripts) bypasses it.
type Display struct {
	w      io.Writer // the underlying stream
	ci     bool      // w is the log of a CI job
	styles Styles    // of a Text
	kinds  bool      // lines are messages, styled by how they begin
	cols   int       // of the terminal that shows messages; 0: none does

	mu   sync.Mutex
	rest []byte // an incomplete character; in CI an incomplete line
	open bool   // the last line shown has no end yet
}

// NewDisplay returns a display on a stream.
func NewDisplay(w io.Writer, inCI bool) *Display { return &Display{w: w, ci: inCI} }

// Write implements io.Writer. The output does not depend on how the text is
// split into writes.
func (d *Display) Write(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.rest = append(d.rest, p...)
	end := wholeRunes(d.rest)
	if d.ci {
		end = bytes.LastIndexByte(d.rest, '\n') + 1
	}
	text := string(d.rest[:end])
	d.rest = append(d.rest[:0], d.rest[end:]...)
	if err := d.show(text); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Flush writes an incomplete last line.
func (d *Display) Flush() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	text := string(d.rest)
	d.rest = nil
	return d.show(text)
}

func (d *Display) show(text string) error {
	text = printable.Text(text)
	if text == "" {
		return nil
	}
	if d.kinds && (d.styles.on || d.cols > 0) {
		text = d.styled(text)
	}
	to := d.w
	if d.ci {
		to = ci.Log{W: d.w}
	}
	_, err := io.WriteString(to, text)
	return err
}

// styled returns the lines of a text in their styles. The end of a line that was
// begun before has none.
func (d *Display) styled(text string) string {
	var b strings.Builder
	for l := range strings.Lines(text) {
		content, ended := strings.CutSuffix(l, "\n")
		if d.open || !ended {
			b.WriteString(content)
		} else {
			b.WriteString(d.message(content))
		}
		if d.open = !ended; ended {
			b.WriteByte('\n')
		}
	}
	return b.String()
}

// message returns a message in its style, folded to the terminal if it is prose.
func (d *Display) message(text string) string {
	room := d.cols
	if d.styles.on {
		room -= symbolWidth
	}
	lines := []string{text}
	if isProse(text) {
		lines = fold(text, symbolWidth, room)
	}
	lines[0] = d.styles.show(d.styles.line(lines[0]))
	return strings.Join(lines, "\n")
}

// wholeRunes returns the length of b without an incomplete character at its end.
func wholeRunes(b []byte) int {
	for n := 1; n < utf8.UTFMax && n <= len(b); n++ {
		if start := len(b) - n; utf8.RuneStart(b[start]) {
			if !utf8.FullRune(b[start:]) {
				return start
			}
			break
		}
	}
	return len(b)
}

// Linef formats one line. Line breaks in its arguments do not end it.
func Linef(format string, a ...any) string { return OneLine(fmt.Sprintf(format, a...)) + "\n" }

// OneLine joins the lines of a text, such as those of a joined error.
func OneLine(text string) string {
	return printable.Line(strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "; "))
}

// Table is text in columns. Line breaks and tabs in a cell do not end it.
type Table struct{ rows [][]string }

// Row adds a row.
func (t *Table) Row(cells ...string) { t.rows = append(t.rows, cells) }

// String returns the rows, with columns as wide as their widest cells.
func (t *Table) String() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, cells := range t.rows {
		for i, cell := range cells {
			if i > 0 {
				fmt.Fprint(w, "\t")
			}
			fmt.Fprint(w, OneLine(cell))
		}
		fmt.Fprintln(w)
	}
	_ = w.Flush() // a strings.Builder takes everything
	return b.String()
}
