package main

import (
	"context"

	"github.com/mcp-login/mcp-login/internal/source"
	"github.com/mcp-login/mcp-login/internal/suggest"
	"github.com/mcp-login/mcp-login/internal/terminal"
)

// statusOfAll shows a table of all credentials. One that cannot be read does not
// hide the others.
func statusOfAll(ctx context.Context, e *call, o statusOptions, from source.Source) error {
	names, err := from.Profiles(ctx)
	if err != nil {
		return err
	}
	var rows [][]terminal.Cell
	unread := func(name string, err error) {
		e.say("warning: %s: %v", name, err)
		rows = append(rows, []terminal.Cell{{Text: name}, {}, {Text: "cannot be read", Mark: terminal.Bad}, {}, {}, {}})
	}
	all, err := e.open(&o.common).Reports(ctx, from, names, unread)
	if err != nil {
		return err
	}
	if o.json {
		return e.answerJSON(all)
	}
	for _, r := range all {
		rows = append(rows, r.Row())
	}
	if len(rows) == 0 {
		e.say("nothing is stored yet")
		e.say("next: %s", suggest.MCPLogin(loginName, "NAME", "URL"))
		return nil
	}
	var t terminal.Text
	t.Rows([]string{"NAME", "SERVER", "STATE", "EXPIRES", "RENEWS", "STORE"}, rows)
	return e.answerText(&t)
}
