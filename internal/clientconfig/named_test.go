//go:build unix

package clientconfig

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestNamedRejectsForeignFiles: a URL is not read from a file of another user, nor
// from a project file that is huge or outside of the project. Each of these is an
// error that says why.
func TestNamedRejectsForeignFiles(t *testing.T) {
	const evil = `{"mcpServers":{"a":{"url":"https://evil.example/mcp"}}}`
	for _, tt := range []struct {
		name string
		make func(t *testing.T, p Places)
		want string
	}{
		{"another user's, at home", func(t *testing.T, p Places) {
			foreignFile(t, filepath.Join(p.Home, ".cursor", "mcp.json"), evil)
		}, "it belongs to user 54321"},
		{"another user's, of a project", func(t *testing.T, p Places) {
			foreignFile(t, filepath.Join(p.Project, ".mcp.json"), evil)
		}, "it belongs to user 54321"},
		{"a link out of the project", func(t *testing.T, p Places) {
			outside := filepath.Join(t.TempDir(), "mcp.json")
			writeFile(t, outside, evil, 0o600)
			if err := os.Symlink(outside, filepath.Join(p.Project, ".mcp.json")); err != nil {
				t.Fatal(err)
			}
		}, "a link that leads out of the folder of the project"},
		{"a folder that is a link out of the project", func(t *testing.T, p Places) {
			outside := t.TempDir()
			writeFile(t, filepath.Join(outside, "mcp.json"), evil, 0o600)
			if err := os.Symlink(outside, filepath.Join(p.Project, ".cursor")); err != nil {
				t.Fatal(err)
			}
		}, "a link that leads out of the folder of the project"},
		{"a huge file of a project", func(t *testing.T, p Places) {
			writeFile(t, filepath.Join(p.Project, ".mcp.json"), strings.Repeat(" ", maxProjectFile)+evil, 0o600)
		}, "it has more than 256 KiB"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := Places{Home: t.TempDir(), Project: t.TempDir(), GOOS: "linux", Getenv: func(string) string { return "" }}
			tt.make(t, p)
			found, unread := Named(p, "a")
			if len(found) != 0 || len(unread) != 1 || !strings.Contains(unread[0].Error(), tt.want) {
				t.Errorf("%+v, %v", found, unread)
			}
		})
	}
}

// foreignFile writes a file that belongs to another user, which only root can do.
func foreignFile(t *testing.T, path, text string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can create files of other users")
	}
	writeFile(t, path, text, 0o600)
	if err := os.Chown(path, 54321, -1); err != nil {
		t.Fatal(err)
	}
}

// TestNamedPrefersTheUsersFile: a URL in both the user's and the project's file is
// read from the user's file. Symbolic links within a project are followed.
func TestNamedPrefersTheUsersFile(t *testing.T) {
	const same = `{"mcpServers":{"A":{"url":"https://a.example/mcp"}}}`
	p := Places{Home: t.TempDir(), Project: t.TempDir(), GOOS: "linux", Getenv: func(string) string { return "" }}
	writeFile(t, filepath.Join(p.Project, "shared.json"), same, 0o600)
	if err := os.Symlink("shared.json", filepath.Join(p.Project, ".mcp.json")); err != nil {
		t.Fatal(err)
	}
	if found, unread := Named(p, "a"); len(found) != 1 || !found[0].Project || len(unread) != 0 {
		t.Errorf("in the project's file: %+v, %v", found, unread)
	}
	writeFile(t, filepath.Join(p.Home, ".cursor", "mcp.json"), same, 0o600)
	if found, unread := Named(p, "a"); len(found) != 1 || found[0].Project || len(unread) != 0 {
		t.Errorf("in both files: %+v, %v", found, unread)
	}
}

// TestWay: a way that no client has is unknown, and one that this client lacks is not.
func TestWay(t *testing.T) {
	c := find(t, "cursor")
	for text, want := range map[string]string{
		"":       "",
		"proxy":  "",
		"prxoy":  `--via: "prxoy" is unknown, did you mean proxy? Use proxy, helper or variable`,
		"helper": `--via: Cursor cannot get its token by "helper"; use proxy or variable`,
	} {
		if via, err := c.Way(text); (err == nil) != (want == "") || err != nil && err.Error() != want || err == nil && via != Proxy {
			t.Errorf("%q: %q, %v, want %q", text, via, err, want)
		}
	}
}
