package terminal

import (
	"bufio"
	"sync"
	"time"

	"github.com/mcp-login/mcp-login/internal/secretref"
)

// Dialog asks questions at a terminal that it keeps open.
type Dialog struct {
	tty   tty
	lines chan string // at most one line; closed when the terminal is closed

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

// Ask discards earlier input and prints a question. It sends typed lines until
// done is called, and closes the channel if the terminal is closed.
func (d *Dialog) Ask(question string) (lines <-chan string, done func()) {
	flushInput(d.tty.keys)
	d.listen(true)
	d.Print(question)
	return d.lines, func() { d.listen(false) }
}

// Print prints a text. It is best effort.
func (d *Dialog) Print(text string) { d.tty.ask(text) }

// Columns returns the width of the terminal.
func (d *Dialog) Columns() int { return columns(d.tty.screen, defaultColumns) }

// Close closes the terminal.
func (d *Dialog) Close() { d.tty.close() }

// read reads lines until the terminal is closed. EOF does not end it, because
// it can be Ctrl-D.
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

// readAgain is the delay after an EOF, which some terminals repeat immediately.
const readAgain = 100 * time.Millisecond

// typed delivers a line as an answer if a question is shown.
func (d *Dialog) typed(line string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.asking {
		return
	}
	select {
	case d.lines <- line:
	default: // the previous line was not read, so drop this one
	}
}

// listen starts or stops accepting answers. It drops an answer that came too
// late for its question.
func (d *Dialog) listen(asking bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asking = asking
	select {
	case <-d.lines:
	default:
	}
}
