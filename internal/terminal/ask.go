package terminal

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/mcp-login/mcp-login/internal/printable"
	"github.com/mcp-login/mcp-login/internal/secretref"
)

// Secret asks the person at the terminal for a secret, without echo. It leaves
// the terminal as it was, even if it is interrupted. Without a terminal the
// error is [secretref.ErrNoTerminal].
func (s Streams) Secret(ctx context.Context, question string) ([]byte, error) {
	tty, err := s.TTY()
	if err != nil {
		return nil, secretref.ErrNoTerminal
	}
	defer tty.Close()
	fd := int(tty.Fd())
	state, err := term.GetState(fd)
	if err != nil {
		return nil, secretref.ErrNoTerminal
	}
	out := s.ask(tty, question)
	defer fmt.Fprintln(out)
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
	case <-ctx.Done(): // the process ends, and the reader with it
		return nil, errors.Join(ctx.Err(), term.Restore(fd, state))
	}
}

// Confirm asks the person at the terminal a question. Only y and yes confirm;
// what was typed before the question does not count. Without a terminal the
// error is [secretref.ErrNoTerminal].
func (s Streams) Confirm(ctx context.Context, question string) (bool, error) {
	tty, err := s.TTY()
	if err != nil {
		return false, secretref.ErrNoTerminal
	}
	defer tty.Close()
	flushInput(tty)
	s.ask(tty, question)
	answer := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(tty).ReadString('\n') // at the terminal's end the answer is no
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

// ask writes a question to the terminal and returns where it was written: to
// standard error on Windows, where a console's input takes no text.
func (s Streams) ask(tty *os.File, question string) io.Writer {
	question = printable.Text(question)
	if _, err := io.WriteString(tty, question); err != nil {
		_, _ = io.WriteString(s.Err, question) // best effort: without it nobody answers
		return s.Err
	}
	return tty
}
