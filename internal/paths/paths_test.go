//go:build linux

package paths_test

import (
	"errors"
	"path/filepath"
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

// TestTilde: only a path in the home folder is shortened.
func TestTilde(t *testing.T) {
	home := filepath.Join(t.TempDir(), "me")
	d := paths.Dirs{Getenv: func(string) string { return home }}
	for path, want := range map[string]string{
		filepath.Join(home, "x", "y"):           filepath.Join("~", "x", "y"),
		"file:" + filepath.Join(home, "x"):      "file:" + filepath.Join("~", "x"),
		"file:" + home + "-2":                   "file:" + home + "-2",
		"file:" + filepath.Join("a", home, "x"): "file:" + filepath.Join("a", home, "x"),
		"vault:secret/x":                        "vault:secret/x",
	} {
		if got := d.Tilde(path); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
	d.Getenv = func(string) string { return "" }
	if got := d.Tilde(home); got != home {
		t.Errorf("without a home folder: %s", got)
	}
}
