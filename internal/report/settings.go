package report

import (
	"cmp"
	"strings"

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
func (values Settings) Text() string {
	var t terminal.Table
	for _, v := range values {
		t.Row(v.Key, cmp.Or(v.Value, "-"), v.origin())
	}
	return t.String()
}

// origin says where a person finds the value, to change it.
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
