package terminal

import (
	"fmt"
	"io"

	"github.com/mcp-login/mcp-login/internal/printable"
)

// Answer prints the whole output of a command for people. Call it last, so that
// standard output stays empty if the command fails.
func (s Streams) Answer(text string) error {
	d := s.Display(s.Out)
	_, err := io.WriteString(d, text)
	if err == nil {
		err = d.Flush()
	}
	return written(err)
}

// AnswerText is Answer for a styled text, which it wraps to the width of the
// terminal.
func (s Streams) AnswerText(text *Text) error {
	cols := 0
	if s.OutIsTerminal() {
		cols = s.ColumnsOf(s.Out)
	}
	return written(s.Display(s.Out).Print(text.fit(cols)))
}

// AnswerData prints output for programs, unchanged.
func (s Streams) AnswerData(data []byte) error {
	_, err := s.Out.Write(data)
	return written(err)
}

// AnswerJSON prints one JSON value on one line.
func (s Streams) AnswerJSON(v any) error {
	text, err := printable.JSON(v, "")
	if err != nil {
		return err
	}
	return s.AnswerData(text)
}

func written(err error) error {
	if err != nil {
		return fmt.Errorf("write the answer: %w", err)
	}
	return nil
}

// Say prints a one-line message on standard error. It is best effort: the stream
// may be closed.
func (s Streams) Say(format string, a ...any) {
	_, _ = io.WriteString(s.Err, Linef(format, a...))
}
