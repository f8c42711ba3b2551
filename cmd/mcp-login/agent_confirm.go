package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/mcp-login/mcp-login/internal/agentd"
	"github.com/mcp-login/mcp-login/internal/printable"
	"github.com/mcp-login/mcp-login/internal/terminal"
	"github.com/mcp-login/mcp-login/oauth"
)

// confirmTerminal shows the questions of an [agentd.Confirmer] at the agent's
// terminal.
type confirmTerminal struct {
	tty   *os.File
	lines chan string // what was typed, one line at most; closed at the terminal's end
	log   *agentd.HeldLog

	mu     sync.Mutex // guards asking
	asking bool       // what is typed while nothing is asked is no answer
}

func newConfirmTerminal(e *env) (*confirmTerminal, error) {
	tty, err := e.tty()
	if err != nil {
		return nil, usagef("--confirm: there is no terminal to ask at")
	}
	c := &confirmTerminal{tty: tty, lines: make(chan string, 1), log: &agentd.HeldLog{To: e.err}}
	if e.streams().Interactive() {
		e.hidden.redirect(c.log)
	}
	go c.read()
	return c, nil
}

// read takes lines from the terminal until it is gone. An end of file is not
// its end: it may be Ctrl-D.
func (c *confirmTerminal) read() {
	defer close(c.lines)
	for {
		s := bufio.NewScanner(c.tty)
		for s.Scan() {
			c.typed(s.Text())
		}
		if s.Err() != nil || !terminal.IsTerminal(c.tty) {
			return
		}
		time.Sleep(readAgain)
	}
}

// readAgain is the pause after an end of file, which some terminals have at once
// again.
const readAgain = 100 * time.Millisecond

// typed takes a line as an answer, if there is a question.
func (c *confirmTerminal) typed(line string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.asking {
		return
	}
	select {
	case c.lines <- line:
	default: // the line before it has not been looked at, and is none either
	}
}

// listen begins or ends to wait for answers. One that came too late for its
// question is dropped.
func (c *confirmTerminal) listen(asking bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asking = asking
	select {
	case <-c.lines:
	default:
	}
}

// Ask implements agentd.Terminal. The log is held back while the question stands.
func (c *confirmTerminal) Ask(r agentd.Request, code string, timeout time.Duration) (lines <-chan string, done func()) {
	c.log.Hold()
	terminal.FlushInput(c.tty)
	c.listen(true)
	c.print("\n" + question(r, c.width()) + "\n" + confirmPrompt(code, timeout))
	return c.lines, func() {
		c.listen(false)
		c.log.Release()
	}
}

// AskAgain implements agentd.Terminal.
func (c *confirmTerminal) AskAgain(code string, timeout time.Duration) {
	c.print("that is no answer; " + confirmPrompt(code, timeout))
}

// Withdraw implements agentd.Terminal.
func (c *confirmTerminal) Withdraw(reason string) { c.print("\n" + reason + "\n") }

// question says what is asked for and by whom, in lines of at most cols.
func question(r agentd.Request, cols int) string {
	who := "a program"
	if r.Exe != "" {
		who = oauth.Sanitize(r.Exe, 200)
	}
	by := "through " + r.Socket
	if r.PID != 0 {
		by = fmt.Sprintf("pid %d, %s", r.PID, by)
	}
	return strings.Join(terminal.Wrap(fmt.Sprintf("Hand out %q to %s (%s)?", r.Profile, who, by), cols), "\n")
}

func confirmPrompt(code string, timeout time.Duration) string {
	return fmt.Sprintf("type %s to allow, n to refuse (%.0f s): ", code, timeout.Seconds())
}

// maxCols is as wide as a question gets.
const maxCols = 80

func (c *confirmTerminal) width() int { return min(terminal.Columns(c.tty, maxCols), maxCols) }

// print is best effort: a question that nobody sees is not answered.
func (c *confirmTerminal) print(text string) { _, _ = c.tty.WriteString(printable.Text(text)) }

func (c *confirmTerminal) close() { _ = c.tty.Close() } // nothing was written that could be lost
