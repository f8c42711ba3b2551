package main

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

// display is a stream that people read, standard output or standard error. All
// text for them goes through one, so that nothing that a server, a record or an
// agent says steers a terminal: what is not printable is left out. In a CI job
// no line is a command to the runner either.
//
// What programs read (tokens, variables, JSON, scripts) does not go through it.
type display struct {
	w  io.Writer // the stream itself
	ci bool      // it is a job's log

	mu   sync.Mutex
	rest []byte // the beginning of a character, in CI of a line
}

// Write implements io.Writer. A text may be written in pieces of any size: it
// comes out as if it had been written at once.
func (d *display) Write(p []byte) (int, error) {
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

// Flush writes what is left of a text that does not end its last line.
func (d *display) Flush() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	text := string(d.rest)
	d.rest = nil
	return d.show(text)
}

func (d *display) show(text string) error {
	text = printable.Text(text)
	if text == "" {
		return nil
	}
	to := d.w
	if d.ci {
		to = ci.Log{W: d.w}
	}
	_, err := io.WriteString(to, text)
	return err
}

// wholeRunes returns how much of b does not end within a character.
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

// display makes a stream fit for people.
func (e *env) display(w io.Writer) *display {
	return &display{w: w, ci: ci.Detect(e.getenv) != ci.None}
}

// protect has everything that is written to e.err pass a display.
func (e *env) protect() { e.err = e.display(e.err) }

// rawErr is standard error as it is, for what is meant to be a command to a CI.
func (e *env) rawErr() io.Writer {
	if d, ok := e.err.(*display); ok {
		return d.w
	}
	return e.err
}

// answer shows a command's whole answer to people at once, when nothing can fail
// any more but the writing.
func (e *env) answer(text string) error {
	d := e.display(e.out)
	_, err := io.WriteString(d, text)
	if err == nil {
		err = d.Flush()
	}
	return written(err)
}

// answerData is answer for what programs read: it goes out unchanged.
func (e *env) answerData(data []byte) error {
	_, err := e.out.Write(data)
	return written(err)
}

func written(err error) error {
	if err != nil {
		return fmt.Errorf("write the answer: %w", err)
	}
	return nil
}

// say tells people something in one line on standard error. It is best effort:
// nobody may be reading.
func (e *env) say(format string, a ...any) { _, _ = io.WriteString(e.err, linef(format, a...)) }

// linef formats one line. Text that comes from elsewhere cannot make it two.
func linef(format string, a ...any) string { return oneLine(fmt.Sprintf(format, a...)) + "\n" }

// oneLine joins the lines of a text, a joined error's say.
func oneLine(text string) string {
	return printable.Line(strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "; "))
}

// table is text in columns. A cell is one line, whatever it is made of.
type table struct{ rows [][]string }

func (t *table) row(cells ...string) { t.rows = append(t.rows, cells) }

// fact adds a row of two cells, unless there is nothing to tell.
func (t *table) fact(label, value string) {
	if value != "" {
		t.row(label, value)
	}
}

func (t *table) String() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, cells := range t.rows {
		for i, cell := range cells {
			if i > 0 {
				fmt.Fprint(w, "\t")
			}
			fmt.Fprint(w, oneLine(cell))
		}
		fmt.Fprintln(w)
	}
	_ = w.Flush() // a strings.Builder takes everything
	return b.String()
}
