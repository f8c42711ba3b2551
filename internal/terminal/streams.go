package terminal

import (
	"cmp"
	"io"
	"os"
	"strconv"

	"golang.org/x/term"

	"github.com/mcp-login/mcp-login/ci"
)

// Streams are the standard streams, the environment and the terminal of a
// command.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
	Getenv   func(string) string
	TTY      func() (*os.File, error) // opens the terminal's input for questions; an error without a terminal
}

// Messages returns a display on standard error, whose lines are messages: errors,
// warnings, hints.
func (s Streams) Messages() *Display {
	d := s.Display(s.Err)
	d.kinds = true
	if s.Interactive() {
		d.cols = s.Columns()
	}
	return d
}

// Display returns a display on one of the streams.
func (s Streams) Display(w io.Writer) *Display {
	return &Display{w: w, ci: s.inCI(), styles: s.Styles(w)}
}

// RawErr returns standard error without its display, for commands to the CI's
// runner.
func (s Streams) RawErr() io.Writer {
	if d, ok := s.Err.(*Display); ok {
		return d.w
	}
	return s.Err
}

// Interactive reports whether the user reads standard error while it is
// written.
func (s Streams) Interactive() bool {
	f, ok := s.RawErr().(*os.File)
	return ok && !s.inCI() && isTerminal(f)
}

// OutIsTerminal reports whether standard output is a terminal, and not a pipe or
// a file that a program reads.
func (s Streams) OutIsTerminal() bool {
	f, ok := s.Out.(*os.File)
	return ok && isTerminal(f)
}

// CanAsk reports whether a terminal is available for prompts.
func (s Streams) CanAsk() bool {
	t, err := s.open()
	if err != nil {
		return false
	}
	t.close()
	return true
}

// Columns returns the width of standard error.
func (s Streams) Columns() int { return s.ColumnsOf(s.RawErr()) }

// ColumnsOf returns the width of a stream.
func (s Streams) ColumnsOf(w io.Writer) int {
	fallback, err := strconv.Atoi(s.Getenv("COLUMNS"))
	if err != nil {
		fallback = 0
	}
	fallback = cmp.Or(max(fallback, 0), defaultColumns)
	if f, ok := w.(*os.File); ok {
		return columns(f, fallback)
	}
	return fallback
}

func (s Streams) inCI() bool { return ci.Detect(s.Getenv) != ci.None }

// escapes reports whether escape sequences are wanted and understood.
func (s Streams) escapes() bool {
	name := s.Getenv("TERM")
	return s.Getenv("NO_COLOR") == "" && name != "dumb" && (name != "" || consoleANSI)
}

// The default size of a terminal.
const (
	defaultColumns = 80
	defaultRows    = 24
)

// isTerminal reports whether a file is a terminal.
func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

// columns returns the width of a terminal, or the fallback if it has none.
func columns(f *os.File, fallback int) int {
	if cols, _, err := term.GetSize(int(f.Fd())); err == nil && cols > 0 {
		return cols
	}
	return fallback
}

// size returns the size of the terminal.
func (t tty) size() (cols, rows int) {
	cols, rows, err := term.GetSize(int(t.screen.Fd()))
	if err != nil || cols <= 0 || rows <= 0 {
		return defaultColumns, defaultRows
	}
	return cols, rows
}
