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

// display writes text for people to standard output or standard error. It drops
// unprintable characters, so that text from a server, a record or an agent cannot
// control the terminal. In a CI job it also makes sure that the runner reads no
// line as a command.
//
// Output for programs (tokens, variables, JSON, scripts) bypasses it.
type display struct {
	w  io.Writer // the underlying stream
	ci bool      // w is the log of a CI job

	mu   sync.Mutex
	rest []byte // an incomplete character; in CI an incomplete line
}

// Write implements io.Writer. The output does not depend on how the text is
// split into writes.
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

// Flush writes an incomplete last line.
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

// display returns a display on a stream of this process.
func (e *env) display(w io.Writer) *display {
	return &display{w: w, ci: ci.Detect(e.getenv) != ci.None}
}

// protect sends everything written to e.err through a display.
func (e *env) protect() { e.err = e.display(e.err) }

// rawErr returns standard error without its display, for commands to the CI.
func (e *env) rawErr() io.Writer {
	if d, ok := e.err.(*display); ok {
		return d.w
	}
	return e.err
}

// answer prints the whole answer of a command for people. Call it last, so that
// standard output stays empty if the command fails.
func (e *env) answer(text string) error {
	d := e.display(e.out)
	_, err := io.WriteString(d, text)
	if err == nil {
		err = d.Flush()
	}
	return written(err)
}

// answerData prints an answer for programs, unchanged.
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

// say prints a one-line message on standard error. It is best effort: the stream
// may be closed.
func (e *env) say(format string, a ...any) { _, _ = io.WriteString(e.err, linef(format, a...)) }

// linef formats one line. Line breaks in its arguments do not end it.
func linef(format string, a ...any) string { return oneLine(fmt.Sprintf(format, a...)) + "\n" }

// oneLine joins the lines of a text, such as those of a joined error.
func oneLine(text string) string {
	return printable.Line(strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "; "))
}

// table is text in columns. Line breaks and tabs in a cell do not end it.
type table struct{ rows [][]string }

func (t *table) row(cells ...string) { t.rows = append(t.rows, cells) }

// fact adds a row of two cells, unless the value is empty.
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
