//go:build linux

package paths_test

import (
	"errors"
	"testing"

	"github.com/mcp-login/mcp-login/internal/paths"
)

func TestDirs(t *testing.T) {
	for _, tt := range []struct {
		xdg                   string
		data, keys, confirmed string
	}{
		{"", "/home/u/.local/share/mcp-login", "/home/u/.local/state/mcp-login/keys", "/home/u/.local/state/mcp-login/confirmed"},
		{"/xdg", "/xdg/mcp-login", "/xdg/mcp-login/keys", "/xdg/mcp-login/confirmed"},
		{"relative", "/home/u/.local/share/mcp-login", "/home/u/.local/state/mcp-login/keys", "/home/u/.local/state/mcp-login/confirmed"},
	} {
		d := paths.Dirs{Getenv: func(name string) string {
			return map[string]string{"HOME": "/home/u", "XDG_DATA_HOME": tt.xdg, "XDG_STATE_HOME": tt.xdg}[name]
		}}
		data, _ := d.Data()
		keys, _ := d.Keys()
		confirmed, _ := d.Confirmed()
		if data != tt.data || keys != tt.keys || confirmed != tt.confirmed {
			t.Errorf("%q: %s, %s, %s", tt.xdg, data, keys, confirmed)
		}
	}
	if _, err := (paths.Dirs{Getenv: func(string) string { return "" }}).Data(); !errors.Is(err, paths.ErrNoHome) {
		t.Errorf("without a home folder: %v", err)
	}
}
