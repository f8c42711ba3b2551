package main

import "github.com/mcp-login/mcp-login/internal/printable"

// answerJSON prints one JSON value on one line.
func (e *env) answerJSON(v any) error {
	text, err := printable.JSON(v, "")
	if err != nil {
		return err
	}
	return e.answerData(text)
}
