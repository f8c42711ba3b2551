package main

import (
	"fmt"
	"io"

	"github.com/mcp-login/mcp-login/ci"
	"github.com/mcp-login/mcp-login/internal/terminal"
)

// display returns a display on a stream of this process.
func (e *env) display(w io.Writer) *terminal.Display {
	return terminal.NewDisplay(w, ci.Detect(e.getenv) != ci.None)
}

// protect sends everything written to e.err through a display.
func (e *env) protect() { e.err = e.display(e.err) }

// rawErr returns standard error without its display, for commands to the CI.
func (e *env) rawErr() io.Writer {
	if d, ok := e.err.(*terminal.Display); ok {
		return d.Unwrap()
	}
	return e.err
}

// answer prints the whole answer of a command for people. Call it last, so that
// standard output stays empty if the command fails.
func (e *env) answer(text string) error {
	d := e.display(e.out)
	_, err := io.WriteString(d, text)
	if err == nil {
		err = d.Flush()
	}
	return written(err)
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
