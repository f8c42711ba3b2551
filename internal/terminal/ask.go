package terminal

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/term"

	"github.com/mcp-login/mcp-login/internal/printable"
	"github.com/mcp-login/mcp-login/internal/secretref"
)

// Secret asks the user at the terminal for a secret, without echo. It restores
// the terminal, even if it is interrupted. Without a terminal the error is
// [secretref.ErrNoTerminal].
func (s Streams) Secret(ctx context.Context, question string) ([]byte, error) {
	t, err := s.open()
	if err != nil {
		return nil, secretref.ErrNoTerminal
	}
	defer t.close()
	fd := int(t.keys.Fd())
	state, err := term.GetState(fd)
	if err != nil {
		return nil, secretref.ErrNoTerminal
	}
	interrupted := ctx.Done() // an interruption from now on restores the terminal
	unmute := mute(t.keys)    // before the question, which a program can answer immediately
	defer unmute()
	t.ask(question)
	defer fmt.Fprintln(t)
	type answer struct {
		text []byte
		err  error
	}
	read := make(chan answer, 1)
	go func() {
		text, err := term.ReadPassword(fd)
		read <- answer{text, err}
	}()
	select {
	case a := <-read:
		return a.text, a.err
	case <-interrupted: // the process ends, and the reader with it
		return nil, errors.Join(ctx.Err(), term.Restore(fd, state))
	}
}

// Confirm asks the user at the terminal a question. Only y and yes confirm;
// what was typed before the question does not count. Without a terminal the
// error is [secretref.ErrNoTerminal].
func (s Streams) Confirm(ctx context.Context, question string) (bool, error) {
	t, err := s.open()
	if err != nil {
		return false, secretref.ErrNoTerminal
	}
	defer t.close()
	flushInput(t.keys)
	t.ask(question)
	answer := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(t).ReadString('\n') // an error or EOF means no
		answer <- line
	}()
	select {
	case line := <-answer:
		word := strings.ToLower(strings.TrimSpace(line))
		return word == "y" || word == "yes", nil
	case <-ctx.Done(): // the process ends, and the reader with it
		return false, ctx.Err()
	}
}

// ask shows a question. It is best effort: without a question there is no answer
// either.
func (t tty) ask(question string) { _, _ = io.WriteString(t, printable.Text(question)) }
