package terminal

import (
	"bufio"
	"sync"
	"time"

	"github.com/mcp-login/mcp-login/internal/secretref"
)

// Dialog asks one question after another at a terminal that it keeps open.
type Dialog struct {
	tty   tty
	lines chan string // at most one line; closed when the terminal is gone

	mu     sync.Mutex // guards asking
	asking bool       // without a question, a line is not an answer
}

// OpenDialog opens the terminal. Without one the error is
// [secretref.ErrNoTerminal].
func (s Streams) OpenDialog() (*Dialog, error) {
	t, err := s.open()
	if err != nil {
		return nil, secretref.ErrNoTerminal
	}
	d := &Dialog{tty: t, lines: make(chan string, 1)}
	go d.read() // until Close, or the terminal is gone
	return d, nil
}

// Ask discards what was typed before and prints a question. It sends the lines
// that are typed until done is called, and closes the channel if the terminal is
// gone.
func (d *Dialog) Ask(question string) (lines <-chan string, done func()) {
	flushInput(d.tty.keys)
	d.listen(true)
	d.Print(question)
	return d.lines, func() { d.listen(false) }
}

// Print prints a text. It is best effort: a question that nobody sees is not
// answered.
func (d *Dialog) Print(text string) { d.tty.ask(text) }

// Columns returns the width of the terminal.
func (d *Dialog) Columns() int { return columns(d.tty.screen, defaultColumns) }

// Close closes the terminal.
func (d *Dialog) Close() { d.tty.close() }

// read reads lines until the terminal is gone. An end of file does not mean
// that: it can be Ctrl-D.
func (d *Dialog) read() {
	defer close(d.lines)
	for {
		s := bufio.NewScanner(d.tty)
		for s.Scan() {
			d.typed(s.Text())
		}
		if s.Err() != nil || !isTerminal(d.tty.keys) {
			return
		}
		time.Sleep(readAgain)
	}
}

// readAgain is the pause after an end of file, which some terminals repeat at
// once.
const readAgain = 100 * time.Millisecond

// typed takes a line as an answer if there is a question.
func (d *Dialog) typed(line string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.asking {
		return
	}
	select {
	case d.lines <- line:
	default: // nobody has read the line before this one, so neither is an answer
	}
}

// listen begins or ends to accept answers. It drops an answer that came too late
// for its question.
func (d *Dialog) listen(asking bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asking = asking
	select {
	case <-d.lines:
	default:
	}
}
