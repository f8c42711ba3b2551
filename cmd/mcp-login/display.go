package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/mcp-login/mcp-login/internal/terminal"
)

// streams returns the streams of this process.
func (e *env) streams() terminal.Streams {
	return terminal.Streams{In: e.in, Out: e.out, Err: e.err, Getenv: e.getenv, TTY: e.tty}
}

// withoutTerminal returns an env in which nobody can be asked at a terminal.
func (e *env) withoutTerminal() *env {
	own := *e
	own.tty = func() (*os.File, error) { return nil, errors.New("the terminal belongs to another program") }
	return &own
}

// protect sends everything written to e.err through a display.
func (e *env) protect() { e.err = e.streams().Messages() }

// answer prints the whole answer of a command for people. Call it last, so that
// standard output stays empty if the command fails.
func (e *env) answer(text string) error {
	d := e.streams().Display(e.out)
	_, err := io.WriteString(d, text)
	if err == nil {
		err = d.Flush()
	}
	return written(err)
}

// answerText is answer for a text in styles.
func (e *env) answerText(text *terminal.Text) error {
	return written(e.streams().Display(e.out).Print(text))
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
func (e *env) say(format string, a ...any) {
	_, _ = io.WriteString(e.err, terminal.Linef(format, a...))
}
