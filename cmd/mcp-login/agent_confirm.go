package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/mcp-login/mcp-login/agent"
	"github.com/mcp-login/mcp-login/oauth"
)

// confirmWait is how long a person has to answer. Who asks waits longer.
const confirmWait = time.Minute

// confirmer asks a person at the agent's terminal, one question at a time.
type confirmer struct {
	tty   *os.File
	lines chan string   // the answer, one at most; closed at the terminal's end
	turn  chan struct{} // a channel, so that waiting honours ctx

	mu     sync.Mutex // guards asking
	asking bool       // what is typed while nothing is asked is no answer
}

func newConfirmer(e *env) (*confirmer, error) {
	tty, err := e.tty()
	if err != nil {
		return nil, usagef("--confirm: there is no terminal to ask at")
	}
	c := &confirmer{tty: tty, lines: make(chan string, 1), turn: make(chan struct{}, 1)}
	go func() {
		defer close(c.lines)
		for s := bufio.NewScanner(tty); s.Scan(); {
			c.typed(s.Text())
		}
	}()
	return c, nil
}

// typed takes the first line after a question as its answer.
func (c *confirmer) typed(line string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.asking {
		c.asking = false
		c.lines <- line
	}
}

// listen begins or ends to wait for an answer. One that came too late for its
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

// confirm asks whether a profile may be handed out. Silence is no.
func (c *confirmer) confirm(ctx context.Context, r agent.Request) error {
	ctx, cancel := context.WithTimeout(ctx, confirmWait)
	defer cancel()
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
	case <-ctx.Done():
		return errors.New("nobody could be asked in time")
	}
	c.listen(true)
	defer c.listen(false)
	who := r.Exe
	if who == "" {
		who = "a program"
	}
	fmt.Fprintf(c.tty, "hand out %s to %s (pid %d) through the %s socket? [y/N] ", r.Profile, oauth.Sanitize(who, 200), r.PID, r.Socket)
	select {
	case line, ok := <-c.lines:
		if !ok {
			return errors.New("the terminal is gone")
		}
		if answer := strings.ToLower(strings.TrimSpace(line)); answer == "y" || answer == "yes" {
			return nil
		}
		return errors.New("the person at the agent's terminal said no")
	case <-ctx.Done():
		fmt.Fprintln(c.tty, "no: not answered")
		return errors.New("nobody answered at the agent's terminal")
	}
}

func (c *confirmer) close() { _ = c.tty.Close() } // nothing was written that could be lost
