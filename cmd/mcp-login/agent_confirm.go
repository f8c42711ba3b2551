package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"github.com/mcp-login/mcp-login/internal/agentd"
	"github.com/mcp-login/mcp-login/internal/printable"
	"github.com/mcp-login/mcp-login/oauth"
)

// confirmWait is how long a question stands. Who asks waits longer.
const confirmWait = time.Minute

// confirmer asks a person at the agent's terminal, one question at a time.
//
// A question may take the place of another at any moment, between two keys
// that were meant for the one before. So each is answered by a code of its own,
// which is nothing that anybody types by chance or has typed already.
type confirmer struct {
	tty   *os.File
	wait  time.Duration
	lines chan string   // what was typed, one line at most; closed at the terminal's end
	turn  chan struct{} // a channel, so that waiting honours ctx
	log   *agentd.HeldLog
	last  string // code of the question before; it belongs to whose turn it is

	mu     sync.Mutex // guards asking
	asking bool       // what is typed while nothing is asked is no answer
}

func newConfirmer(e *env) (*confirmer, error) {
	tty, err := e.tty()
	if err != nil {
		return nil, usagef("--confirm: there is no terminal to ask at")
	}
	c := &confirmer{tty: tty, wait: confirmWait, lines: make(chan string, 1), turn: make(chan struct{}, 1), log: &agentd.HeldLog{To: e.err}}
	if e.readAlong() {
		e.hidden.redirect(c.log)
	}
	go c.read()
	return c, nil
}

// read takes lines from the terminal until it is gone. An end of file is not
// its end: it may be Ctrl-D.
func (c *confirmer) read() {
	defer close(c.lines)
	for {
		s := bufio.NewScanner(c.tty)
		for s.Scan() {
			c.typed(s.Text())
		}
		if s.Err() != nil || !term.IsTerminal(int(c.tty.Fd())) {
			return
		}
		time.Sleep(readAgain)
	}
}

// readAgain is the pause after an end of file, which some terminals have at once
// again.
const readAgain = 100 * time.Millisecond

// typed takes a line as an answer, if there is a question.
func (c *confirmer) typed(line string) {
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
func (c *confirmer) listen(asking bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asking = asking
	select {
	case <-c.lines:
	default:
	}
}

// confirm asks whether a profile may be handed out. Silence is no. Who waits
// behind another's question gets the whole time for its own.
func (c *confirmer) confirm(ctx context.Context, r agentd.Request) error {
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
	case <-ctx.Done():
		return errors.New("nobody was asked")
	}
	if ctx.Err() != nil {
		return errors.New("nobody was asked")
	}
	c.log.Hold()
	defer c.log.Release()
	c.last = newCode(c.last)
	flushInput(c.tty)
	c.listen(true)
	defer c.listen(false)
	c.print("\n" + question(r, c.width()) + "\n" + c.prompt(c.last))
	return c.answer(ctx, c.last)
}

// answer waits for the code of the question that stands, or a no.
func (c *confirmer) answer(ctx context.Context, code string) error {
	over := time.NewTimer(c.wait)
	defer over.Stop()
	for {
		select {
		case line, ok := <-c.lines:
			if !ok {
				return errors.New("the terminal is gone")
			}
			switch strings.ToLower(strings.TrimSpace(line)) {
			case strings.ToLower(code):
				return nil
			case "n", "no":
				return errors.New("the person at the agent's terminal said no")
			}
			c.print("that is no answer; " + c.prompt(code))
		case <-over.C:
			c.print("\nrefused: nobody answered\n")
			return errors.New("nobody answered at the agent's terminal")
		case <-ctx.Done():
			c.print("\nwithdrawn: " + withdrawn(ctx) + "\n")
			return errors.New("the question was withdrawn")
		}
	}
}

func withdrawn(ctx context.Context) string {
	if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
		return cause.Error()
	}
	return "who asked has gone"
}

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
	return strings.Join(wrap(fmt.Sprintf("Hand out %q to %s (%s)?", r.Profile, who, by), cols), "\n")
}

func (c *confirmer) prompt(code string) string {
	return fmt.Sprintf("type %s to allow, n to refuse (%.0f s): ", code, c.wait.Seconds())
}

// codeLetters spell no word, and neither y nor n.
const codeLetters = "BCDFGHJKLMPQRSTVWXZ"

// newCode returns two letters, other than the last.
func newCode(last string) string {
	for {
		random := make([]byte, 2)
		_, _ = rand.Read(random) // it never fails
		for i, b := range random {
			random[i] = codeLetters[int(b)%len(codeLetters)]
		}
		if code := string(random); code != last {
			return code
		}
	}
}

// maxCols is as wide as a question gets.
const maxCols = 80

func (c *confirmer) width() int {
	cols, _, err := term.GetSize(int(c.tty.Fd()))
	if err != nil || cols <= 0 {
		return maxCols
	}
	return min(cols, maxCols)
}

// print is best effort: a question that nobody sees is not answered.
func (c *confirmer) print(text string) { _, _ = c.tty.WriteString(printable.Text(text)) }

func (c *confirmer) close() { _ = c.tty.Close() } // nothing was written that could be lost
