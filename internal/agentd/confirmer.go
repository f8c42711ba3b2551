package agentd

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"time"
)

// confirmTimeout is how long the user has to answer. The timeout of clients is
// longer.
const confirmTimeout = time.Minute

// Terminal shows the questions of a Confirmer. It decides how a question looks.
type Terminal interface {
	// Ask discards what was typed before, and shows a question that code answers.
	// The lines that are typed are sent until done is called. The channel is
	// closed if the terminal is gone.
	Ask(r Request, code string, timeout time.Duration) (lines <-chan string, done func())
	// AskAgain says that the last line was not a valid answer.
	AskAgain(code string, timeout time.Duration)
	// Withdraw shows why the question no longer needs an answer.
	Withdraw(reason string)
}

// Confirmer prompts the user at a terminal, one question at a time.
//
// A question can replace another between two keystrokes that were meant for the
// first one. So each has its own code as the answer, which nobody types by chance
// or has typed already.
type Confirmer struct {
	// Timeout is how long the user has to answer. Without an answer the request is
	// denied.
	Timeout time.Duration

	terminal Terminal
	turn     chan struct{} // a channel, so that waiting honors ctx
	last     string        // code of the last question; guarded by turn
}

// NewConfirmer returns a Confirmer with the default timeout.
func NewConfirmer(t Terminal) *Confirmer {
	return &Confirmer{Timeout: confirmTimeout, terminal: t, turn: make(chan struct{}, 1)}
}

// Confirm asks whether a token may be issued; it is a Config.Confirm. A request
// that waits for another question has the whole time for its own.
func (c *Confirmer) Confirm(ctx context.Context, r Request) error {
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
	case <-ctx.Done():
		return errors.New("nobody was asked")
	}
	if ctx.Err() != nil {
		return errors.New("nobody was asked")
	}
	c.last = newCode(c.last)
	lines, done := c.terminal.Ask(r, c.last, c.Timeout)
	defer done()
	return c.answer(ctx, lines)
}

// answer waits for the code of the question, or a no.
func (c *Confirmer) answer(ctx context.Context, lines <-chan string) error {
	timeout := time.NewTimer(c.Timeout)
	defer timeout.Stop()
	for {
		select {
		case line, ok := <-lines:
			if !ok {
				return errors.New("the terminal was closed")
			}
			switch strings.ToLower(strings.TrimSpace(line)) {
			case strings.ToLower(c.last):
				return nil
			case "n", "no":
				return errors.New("the request was denied at the agent's terminal")
			}
			c.terminal.AskAgain(c.last, c.Timeout)
		case <-timeout.C:
			c.terminal.Withdraw("denied: nobody answered")
			return errors.New("nobody answered at the agent's terminal")
		case <-ctx.Done():
			c.terminal.Withdraw("withdrawn: " + withdrawn(ctx))
			return errors.New("the question was canceled")
		}
	}
}

func withdrawn(ctx context.Context) string {
	if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
		return cause.Error()
	}
	return "the client has disconnected"
}

// codeLetters contain no vowels, so that codes are not words, and neither Y nor
// N.
const codeLetters = "BCDFGHJKLMPQRSTVWXZ"

// newCode returns two letters that differ from the last code.
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
