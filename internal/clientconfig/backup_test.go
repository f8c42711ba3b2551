package clientconfig

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
)

func editor(file string) Editor {
	return Editor{
		Places: Places{Home: filepath.Dir(file), GOOS: "linux", Getenv: func(string) string { return "" }},
		File:   file, Say: func(string, ...any) {},
		Agree:   func(context.Context, string, string) error { return nil },
		Confirm: func(context.Context, string) (bool, error) { return true, nil },
	}
}

// TestBackupsAreKept: after any sequence of operations, the original content of a
// file is in a backup.
func TestBackupsAreKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mcp.json")
	c, e := find(t, "cursor"), editor(path)
	writes := func(name string) {
		t.Helper()
		if changed, err := e.Write(c, entry(name), Proxy); err != nil || !changed {
			t.Fatal(changed, err)
		}
	}
	const first, second = `{"a": 1, "mcpServers": {"r": {"command": "npx", "args": ["mcp-remote", "https://r.example/mcp"]}}}`, `{"b": 2}`
	writeFile(t, path, first, 0o600)
	writes("x")
	writes("y")
	writeFile(t, path, second, 0o600)
	writes("x")
	if err := e.Remove(c, "x"); err != nil {
		t.Fatal(err)
	}
	writeFile(t, path, first, 0o600)
	server := Server{Client: c, File: path, Name: "r", Command: []string{"npx", "mcp-remote", "https://r.example/mcp"}, path: []string{"mcpServers", "r"}}
	if err := e.Migrate(t.Context(), Migrations([]Server{server}, "mcp-login"), false); err != nil {
		t.Fatal(err)
	}
	all, _ := backups(path)
	kept := map[string]int{}
	for _, name := range all {
		kept[readFile(t, name)]++
	}
	if readFile(t, path+".mcp-login.bak") != first || kept[first] != 1 || kept[second] != 1 {
		t.Errorf("%d backups: %v", len(all), kept)
	}
}

// TestRemoveRestores: if a file was not changed otherwise, removing an entry
// restores it byte for byte. Other changes are kept.
func TestRemoveRestores(t *testing.T) {
	for name, tt := range map[string]struct{ client, before string }{
		"no servers":                  {"cursor", `{"a":1}`},
		"servers":                     {"cursor", "{ \"mcpServers\" : {} }"},
		"empty":                       {"cursor", ""},
		"byte order mark":             {"cursor", "\ufeff{\n}\n"},
		"Windows line ends":           {"cursor", "{\r\n\t\"a\": 1 // one\r\n}\r\n"},
		"one line":                    {"zed", `{"context_servers": {"a": {}}, "z": [1, 2]}`},
		"TOML":                        {"codex", "a = 1\n\n\n"},
		"TOML with Windows line ends": {"codex", "a = 1 # one\r\n[mcp_servers.b]\r\ncommand = 'b'\r\n"},
		"no final newline":            {"codex", "a = 1"},
		"YAML":                        {"goose", "# mine\na:   1\nb:\n    - 'x'   # two\n"},
		"YAML with Windows line ends": {"goose", "a:   1\r\nextensions:\r\n    b: {cmd: b}\r\n"},
		"opencode":                    {"opencode", "{\n  \"model\": \"m\"\n}\n"},
		"opencode, version":           {"opencode", `{"mcp": {"a": {"type": "local"}}}`},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "file")
			c, e := find(t, tt.client), editor(path)
			writeFile(t, path, tt.before, 0o640)
			if _, err := e.Write(c, entry("x"), Proxy); err != nil {
				t.Fatal(err)
			}
			for line := range strings.Lines(readFile(t, path)) {
				if strings.Contains(tt.before, crlf) && !strings.HasSuffix(line, crlf) {
					t.Errorf("the line %q has another line end", line)
				}
			}
			if err := e.Remove(c, "x"); err != nil {
				t.Fatal(err)
			}
			if got := readFile(t, path); got != tt.before {
				t.Errorf("restored %q, want %q", got, tt.before)
			}
		})
	}
}

// TestRemoveFromNewFile: a file that client-config made for each client is gone with its
// last entry, and leaves no backup.
func TestRemoveFromNewFile(t *testing.T) {
	for _, c := range Clients() {
		path := filepath.Join(t.TempDir(), "file")
		e := editor(path)
		if changed, err := e.Write(c, entry("x"), c.Default()); err != nil || !changed {
			t.Fatal(c.Name, changed, err)
		}
		if err := e.Remove(c, "x"); err != nil {
			t.Errorf("%s: %v", c.Name, err)
		}
		if left, err := os.ReadDir(filepath.Dir(path)); err != nil || len(left) != 0 {
			t.Errorf("%s: left %v, %v", c.Name, left, err)
		}
	}
}

// TestRemoveFromNewFileInAnyOrder: of several entries in a file that client-config made,
// the last one takes the file with it.
func TestRemoveFromNewFileInAnyOrder(t *testing.T) {
	for _, c := range Clients() {
		for i, order := range []string{"xyz", "zyx", "yxz"} {
			path := filepath.Join(t.TempDir(), "file")
			via, e := Ways()[i], editor(path)
			if !c.Can(via) {
				via = c.Default()
			}
			for _, name := range []string{"x", "y", "z"} {
				added := entry(name)
				added.Helper, added.Variable = "mcp-login headers "+name, "MCP_X_AUTHORIZATION"
				if _, err := e.Write(c, added, via); err != nil {
					t.Fatal(err)
				}
			}
			for _, name := range order {
				if err := e.Remove(c, string(name)); err != nil {
					t.Fatal(c.Name, order, err)
				}
			}
			if _, err := os.Lstat(path); err == nil {
				t.Errorf("%s, %s: left %q", c.Name, order, readFile(t, path))
			}
		}
	}
}

// TestRemoveLeavesAFileOfOthers: a file that client-config made, and that others wrote
// into or linked to, loses only what client-config made.
func TestRemoveLeavesAFileOfOthers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mcp.json")
	c, e := find(t, "cursor"), editor(path)
	write := func() {
		t.Helper()
		if _, err := e.Write(c, entry("x"), Proxy); err != nil {
			t.Fatal(err)
		}
	}
	write()
	writeFile(t, path, strings.Replace(readFile(t, path), "{\n", "{\n  \"theme\": \"dark\",\n", 1), 0o600)
	if err := e.Remove(c, "x"); err != nil {
		t.Fatal(err)
	}
	if got := readFile(t, path); got != "{\n  \"theme\": \"dark\"\n}\n" {
		t.Errorf("left %q", got)
	}

	path = filepath.Join(t.TempDir(), "mcp.json")
	e = editor(path)
	write()
	if err := os.Rename(path, path+".moved"); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(path+".moved", path); err != nil {
		t.Skip(err)
	}
	if err := e.Remove(c, "x"); err != nil {
		t.Fatal(err)
	}
	if got := readFile(t, path); got != "{}\n" {
		t.Errorf("left %q behind the link", got)
	}
}

// TestRemoveKeepsChanges: later changes of the file by its owner are kept, and a
// replaced entry is not restored.
func TestRemoveKeepsChanges(t *testing.T) {
	for _, tt := range []struct{ before, change, with, after string }{
		{"{\n  // a\n}\n", "// a", "// b", "{\n  // b\n}\n"},
		{`{"mcpServers":{"x":{"command":"mine"}}}`, "", "", `{"mcpServers":{}}`},
	} {
		path := filepath.Join(t.TempDir(), "file")
		c, e := find(t, "cursor"), editor(path)
		writeFile(t, path, tt.before, 0o600)
		if _, err := e.Write(c, entry("x"), Proxy); err != nil {
			t.Fatal(err)
		}
		writeFile(t, path, strings.Replace(readFile(t, path), tt.change, tt.with, 1), 0o600)
		if err := e.Remove(c, "x"); err != nil {
			t.Fatal(err)
		}
		if got := readFile(t, path); got != tt.after {
			t.Errorf("removed %q, want %q", got, tt.after)
		}
	}
}

// TestMigrateSkipsUnwritableFiles: a project file that cannot be changed does not
// prevent changing the user's file.
func TestMigrateSkipsUnwritableFiles(t *testing.T) {
	const entry = `"r":{"command":"npx","args":["mcp-remote","https://r.example/mcp"]}`
	home, project := t.TempDir(), t.TempDir()
	e := editor(filepath.Join(home, "none"))
	e.Places.Project = project
	writeFile(t, filepath.Join(project, ".mcp.json"), `{"mcpServers":{`+entry+`,`+entry+`}}`, 0o600)
	writeFile(t, filepath.Join(home, ".cursor", "mcp.json"), `{"mcpServers":{`+entry+`}}`, 0o600)
	all, complete := e.Find("mcp-login")
	if err := e.Migrate(t.Context(), all, complete); err == nil || !strings.Contains(err.Error(), ".mcp.json: mcpServers.r is in it more than once") {
		t.Error(err)
	}
	if got := readFile(t, filepath.Join(home, ".cursor", "mcp.json")); strings.Contains(got, "mcp-remote") {
		t.Error(got)
	}
}

// TestConcurrentAdd: many processes that add an entry to a new file at the same
// time all succeed.
func TestConcurrentAdd(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("folders cannot be locked")
	}
	path := filepath.Join(t.TempDir(), "new", "mcp.json")
	names := strings.Split("abcdefghijklmnop", "")
	var all sync.WaitGroup
	for _, name := range names {
		all.Go(func() {
			if changed, err := editor(path).Write(find(t, "cursor"), entry(name), Proxy); err != nil || !changed {
				t.Error(changed, err)
			}
		})
	}
	all.Wait()
	m, err := jsonSyntax{}.decode([]byte(readFile(t, path)))
	if servers, _ := m["mcpServers"].(map[string]any); err != nil || len(servers) != len(names) {
		t.Errorf("%d entries, %v", len(servers), err)
	}
	if left, err := filepath.Glob(filepath.Join(filepath.Dir(path), ".*")); err != nil || len(left) != 0 {
		t.Errorf("left: %q, %v", left, err)
	}
}

// TestUnwritable: a read-only file, or one that cannot have a backup, is not
// changed.
func TestUnwritable(t *testing.T) {
	const text = `{"a":1}`
	for name, tt := range map[string]struct {
		make func(t *testing.T, path string)
		want string
	}{
		"read-only": {func(t *testing.T, path string) {
			if err := os.Chmod(path, 0o444); err != nil {
				t.Fatal(err)
			}
		}, "it is read-only"},
		"backup limit reached": {func(t *testing.T, path string) {
			for range maxBackups {
				_, next := backups(path)
				writeFile(t, next, "", 0o600)
			}
		}, "it has 100 backups; remove some"},
	} {
		path := filepath.Join(t.TempDir(), "mcp.json")
		writeFile(t, path, text, 0o600)
		tt.make(t, path)
		changed, err := editor(path).Write(find(t, "cursor"), entry("x"), Proxy)
		if changed || err == nil || !strings.Contains(err.Error(), path+": ") || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %t, %v", name, changed, err)
		}
		if got := readFile(t, path); got != text {
			t.Errorf("%s: %s", name, got)
		}
	}
}
