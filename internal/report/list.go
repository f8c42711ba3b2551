package report

import (
	"strings"
	"time"

	"github.com/mcp-login/mcp-login/internal/terminal"
)

// Named is a credential of which only the name is known.
type Named struct {
	Profile string `json:"profile"`
}

// NamesOf returns names for JSON.
func NamesOf(names []string) []Named {
	all := make([]Named, len(names))
	for i, name := range names {
		all[i].Profile = name
	}
	return all
}

// Names shows names alone.
func Names(names []string) string {
	var b strings.Builder
	for _, name := range names {
		b.WriteString(terminal.OneLine(name) + "\n")
	}
	return b.String()
}

// List shows a line for each credential.
func List(all []Credential) string {
	var t terminal.Table
	for _, r := range all {
		t.Row(r.Profile, r.Server, r.State, r.expires())
	}
	return t.String()
}

// Table shows a row for each credential. Unread are the names of those that cannot be
// read. The store, which all have in common, has a line below, shortened: it is too long
// for a column.
func Table(all []Credential, unread []string, short func(path string) string) *terminal.Text {
	var rows [][]terminal.Cell
	for _, name := range unread {
		rows = append(rows, []terminal.Cell{{Text: name}, {}, {Text: "cannot be read", Mark: terminal.Bad}, {}, {}})
	}
	for _, r := range all {
		rows = append(rows, r.row())
	}
	var t terminal.Text
	t.Rows([]string{"NAME", "SERVER", "STATE", "EXPIRES", "RENEWS"}, rows)
	if len(all) > 0 {
		t.Blank()
		t.Add("store: " + terminal.OneLine(short(all[0].Store)))
	}
	return &t
}

// row returns the cells of the credential.
func (r Credential) row() []terminal.Cell {
	renews := "no"
	if r.Refreshable {
		renews = "yes"
	}
	return []terminal.Cell{{Text: r.Profile}, {Text: r.Server}, r.state(), {Text: r.expires()}, {Text: renews}}
}

// expires says when the token expires, "" if that is unknown.
func (r Credential) expires() string {
	if r.Expiry == nil {
		return ""
	}
	return ago(time.Until(*r.Expiry))
}
