package main

import (
	"github.com/mcp-login/mcp-login/internal/terminal"
)

// streams returns the streams of this process.
func (e *env) streams() terminal.Streams {
	return terminal.Streams{In: e.in, Out: e.out, Err: e.err, Getenv: e.getenv, TTY: e.tty}
}

// answer prints the whole output of a command for people. Call it last, so that
// standard output stays empty if the command fails.
func (e *env) answer(text string) error { return e.streams().Answer(text) }

// answerText is answer for a styled text.
func (e *env) answerText(text *terminal.Text) error { return e.streams().AnswerText(text) }

// answerData prints output for programs, unchanged.
func (e *env) answerData(data []byte) error { return e.streams().AnswerData(data) }

// answerJSON prints one JSON value on one line.
func (e *env) answerJSON(v any) error { return e.streams().AnswerJSON(v) }

// say prints a one-line message on standard error.
func (e *env) say(format string, a ...any) { e.streams().Say(format, a...) }
