package clientconfig

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func find(t *testing.T, name string) Client {
	t.Helper()
	c, ok := Find(name)
	if !ok {
		t.Fatal(name)
	}
	return c
}

func entry(profile string) Entry {
	return Entry{Profile: profile, URL: "https://x.example/mcp", Proxy: []string{"mcp-login", "proxy", "https://x.example/mcp"}, Variable: "V"}
}

// TestAdd: other content of the file is kept, byte for byte if the format allows
// that, and a second call changes nothing.
func TestAdd(t *testing.T) {
	for name, tt := range map[string]struct{ client, before, after string }{
		"no file": {"cursor", "", `{
  "mcpServers": {
    "x": {
      "command": "mcp-login",
      "args": [
        "proxy",
        "https://x.example/mcp"
      ]
    }
  }
}
`},
		"comments and tabs": {"vscode", "// mine\n{\n\t\"inputs\": [], // none\n\t\"servers\": {\n\t\t/* old */\n\t\t\"a\": {\"command\": \"a\"}, // last\n\t}\n}\n",
			"// mine\n{\n\t\"inputs\": [], // none\n\t\"servers\": {\n\t\t/* old */\n\t\t\"a\": {\"command\": \"a\"}, // last\n\t\t\"x\": {\n\t\t\t\"type\": \"stdio\",\n\t\t\t\"command\": \"mcp-login\",\n\t\t\t\"args\": [\n\t\t\t\t\"proxy\",\n\t\t\t\t\"https://x.example/mcp\"\n\t\t\t]\n\t\t},\n\t}\n}\n"},
		"one line": {"cursor", `{"a":1,"mcpServers":{}}`, `{"a":1,"mcpServers":{"x":{"command":"mcp-login","args":["proxy","https://x.example/mcp"]}}}`},
		"replaced": {"cursor", "{\n  \"mcpServers\": {\n    \"x\": {\"command\": \"old\", \"args\": []}, // mine\n    \"z\": 1\n  }\n}\n",
			"{\n  \"mcpServers\": {\n    \"x\": {\n      \"command\": \"mcp-login\",\n      \"args\": [\n        \"proxy\",\n        \"https://x.example/mcp\"\n      ]\n    }, // mine\n    \"z\": 1\n  }\n}\n"},
		"toml": {"codex", "model = \"o\" # best\n\n[mcp_servers.a]\ncommand = \"a\"\n",
			"model = \"o\" # best\n\n[mcp_servers.a]\ncommand = \"a\"\n\n[mcp_servers.x]\ncommand = \"mcp-login\"\nargs = [\"proxy\", \"https://x.example/mcp\"]\nstartup_timeout_sec = 60\ntool_timeout_sec = 600\n"},
		"toml replaced": {"codex", "[mcp_servers.x]\ncommand = \"a\"\n[mcp_servers.x.env]\nA = \"[mcp_servers.y]\"\n\n# b\n[mcp_servers.b]\ncommand = \"b\"\n",
			"[mcp_servers.x]\ncommand = \"mcp-login\"\nargs = [\"proxy\", \"https://x.example/mcp\"]\nstartup_timeout_sec = 60\ntool_timeout_sec = 600\n\n# b\n[mcp_servers.b]\ncommand = \"b\"\n"},
		"yaml": {"goose", "# mine\nGOOSE_MODEL: x # best\nextensions:\n  a:\n    cmd: a\n",
			"# mine\nGOOSE_MODEL: x # best\nextensions:\n  a:\n    cmd: a\n  x:\n    enabled: true\n    type: \"stdio\"\n    name: \"x\"\n    cmd: \"mcp-login\"\n    args: [\"proxy\", \"https://x.example/mcp\"]\n    envs: {}\n    env_keys: []\n    timeout: 600\n"},
		"opencode 1": {"opencode", `{"mcp":{"a":{"type":"local"}}}`, `{"mcp":{"a":{"type":"local"},"x":{"type":"local","command":["mcp-login","proxy","https://x.example/mcp"]}}}`},
		"opencode 2": {"opencode", `{"mcp":{"servers":{}}}`, `{"mcp":{"servers":{"x":{"type":"local","command":["mcp-login","proxy","https://x.example/mcp"]}}}}`},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "dir", "file")
			if tt.before != "" {
				writeFile(t, path, tt.before, 0o640)
			}
			c := find(t, tt.client)
			for range 2 {
				change, err := c.Add(path, entry("x"), Proxy)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := change.Apply(); err != nil {
					t.Fatal(err)
				}
				if got := readFile(t, path); got != tt.after {
					t.Fatalf("got\n%s\nwant\n%s", got, tt.after)
				}
			}
			change, err := c.Add(path, entry("x"), Proxy)
			if err != nil || !change.Empty() {
				t.Errorf("again: %v, %v", change.Empty(), err)
			}
			if tt.before == "" || strings.HasSuffix(name, "replaced") {
				return
			}
			removed, found, err := c.Remove(path, entry("x"))
			if err != nil || !found {
				t.Fatal(found, err)
			}
			if _, err := removed.Apply(); err != nil {
				t.Fatal(err)
			}
			if got := readFile(t, path); got != tt.before {
				t.Errorf("removed\n%s\nwant\n%s", got, tt.before)
			}
			if _, found, err := c.Remove(path, entry("x")); found || err != nil {
				t.Error(found, err)
			}
		})
	}
}

func writeFile(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), mode)); err != nil {
		t.Fatal(err)
	}
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestApply: the file keeps its mode, a symbolic link is followed, the old content
// is backed up, and a concurrent change by another program is not lost.
func TestApply(t *testing.T) {
	dir := t.TempDir()
	target, link := filepath.Join(dir, "dotfiles", "mcp.json"), filepath.Join(dir, "mcp.json")
	writeFile(t, target, `{"a":1}`, 0o640)
	if err := os.Symlink(target, link); err != nil {
		t.Fatal(err)
	}
	c := find(t, "cursor")
	change, err := c.Add(link, entry("x"), Proxy)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, target, `{"a":2}`, 0o640)
	if _, err := change.Apply(); !errors.Is(err, ErrChanged) {
		t.Fatal(err)
	}
	if change, err = c.Add(link, entry("x"), Proxy); err != nil {
		t.Fatal(err)
	}
	backup, err := change.Apply()
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(target)
	if err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Error("the link was replaced")
	}
	if got := readFile(t, backup); got != `{"a":2}` {
		t.Errorf("the backup contains %s", got)
	}
	left, err := os.ReadDir(filepath.Dir(target))
	if err != nil || len(left) != 2 {
		t.Errorf("left: %v, %v", left, err)
	}
}

// TestBrokenFiles: a file that cannot be edited is not changed, and the error names
// it.
func TestBrokenFiles(t *testing.T) {
	for name, tt := range map[string]struct{ client, text, want string }{
		"not JSON":          {"cursor", `{"a":`, "unexpected EOF"},
		"top-level list":    {"cursor", `[]`, "not a JSON object"},
		"servers in a list": {"cursor", `{"mcpServers":[]}`, "is not an object"},
		"not TOML":          {"codex", "a = \n", "line 1"},
		"inline TOML":       {"codex", `mcp_servers = { x = { command = "a" } }`, "cannot be changed without"},
		"null":              {"cursor", `null`, "not a JSON object"},
		"twice":             {"cursor", `{"mcpServers":{"x":{"command":"a"},"x":{"command":"b"}}}`, "mcpServers.x is in it more than once"},
		"duplicate parent":  {"cursor", `{"mcpServers":{},"mcpServers":{}}`, "mcpServers is in it more than once"},
		"deep":              {"cursor", strings.Repeat(`{"a":`, 20000) + "1" + strings.Repeat("}", 20000), "exceeded max depth"},
		"UTF-16":            {"cursor", "\xff\xfe{\x00}\x00", "not UTF-8"},
		"not YAML":          {"goose", "a: [", "line 1"},
		"YAML list":         {"goose", "extensions: []", "not a mapping"},
		"YAML alias":        {"goose", "a: &a {b: 1}\nextensions: *a\n", "not a mapping"},
	} {
		path := filepath.Join(t.TempDir(), "file")
		writeFile(t, path, tt.text, 0o600)
		_, err := find(t, tt.client).Add(path, entry("x"), Proxy)
		if e, ok := errors.AsType[*FileError](err); !ok || e.Path != path || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
	if _, err := find(t, "zed").Add(filepath.Join(t.TempDir(), "f"), entry("x"), Helper); err == nil || !strings.Contains(err.Error(), "use proxy") {
		t.Error(err)
	}
}
