package report

import (
	"cmp"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/mcp-login/mcp-login/internal/settings"
	"github.com/mcp-login/mcp-login/internal/terminal"
)

// Setting is one setting and its origin. As JSON it is a contract: it is added
// to, never changed.
type Setting struct {
	Key    string          `json:"key"`
	Value  string          `json:"value"`
	Origin settings.Origin `json:"origin"`
	Source string          `json:"source,omitempty"` // the variable, or the file and line
	Table  string          `json:"table,omitempty"`  // of the file
}

// Settings are all of them.
type Settings []Setting

// SettingsOf returns what config show says of values.
func SettingsOf(values []settings.Value) Settings {
	all := make(Settings, 0, len(values))
	for _, v := range values {
		all = append(all, Setting{v.Name, v.Text(), v.Origin, v.Source, v.Table})
	}
	return all
}

// Text returns the report for people.
func (values Settings) Text() *terminal.Text {
	key, column := 0, 0
	for _, v := range values {
		key = max(key, utf8.RuneCountInString(v.Key)+2)
		if n := utf8.RuneCountInString(v.Value); n <= maxValue {
			column = max(column, n)
		}
	}
	var t terminal.Text
	for _, v := range values {
		t.Beside(key, fmt.Sprintf("%-*s%-*s  ", key, v.Key, column, cmp.Or(v.Value, "-")), v.origin())
	}
	return &t
}

// maxValue is the widest value that is aligned with the others. A longer one, such as a
// path, moves only its own origin, so that one path does not break each line of a screen.
const maxValue = 24

// origin says where the user finds the value, to change it.
func (v Setting) origin() string {
	switch v.Origin {
	case settings.Flag:
		return "flag --" + v.Key
	case settings.Profile:
		return "file " + v.Source + " [" + v.Table + "]"
	case settings.Global:
		return "file " + v.Source
	}
	return strings.TrimSuffix(string(v.Origin)+" "+v.Source, " ")
}
