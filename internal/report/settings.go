package report

import (
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
}

// SettingOf returns what config show says of a value.
func SettingOf(v settings.Value) Setting { return Setting{v.Name, v.Text(), v.Origin, v.Source} }

// Settings are all of them.
type Settings []Setting

// Text returns the report for people.
func (values Settings) Text() string {
	var t terminal.Table
	for _, v := range values {
		text, origin := v.Value, string(v.Origin)
		if text == "" {
			text = "-"
		}
		if v.Source != "" {
			origin += " " + v.Source
		}
		t.Row(v.Key, text, origin)
	}
	return t.String()
}
