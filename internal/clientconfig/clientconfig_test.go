package clientconfig

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mcp-login/mcp-login/internal/terminal/terminaltest"
)

func notion() Entry {
	return Entry{
		Profile: "my notion", URL: "https://mcp.notion.com/mcp?a=b&c=d",
		Proxy:    []string{`/opt/a 'b'/mcp-login`, "proxy", "https://mcp.notion.com/mcp?a=b&c=d", "--name", "my notion"},
		Helper:   `/opt/a 'b'/mcp-login headers 'my notion' --json`,
		Variable: "MCP_MY_NOTION_AUTHORIZATION", Variables: []string{"HTTPS_PROXY"},
	}
}

// TestSnippets: the snippet of each client is complete.
func TestSnippets(t *testing.T) {
	e := notion()
	for _, c := range Clients() {
		for _, v := range c.Ways() {
			t.Run(c.Name+"/"+string(v), func(t *testing.T) {
				got := c.Snippet(e, v)
				terminaltest.Golden(t, filepath.Join("testdata", c.Name+"-"+string(v)+".golden"), got)
				root, err := c.format().decode([]byte(got))
				if err != nil {
					t.Fatalf("%s: %v", got, err)
				}
				value, _ := lookup(root, append(slices.Clone(c.keys), "my-notion"))
				entry, ok := value.(map[string]any)
				if !ok {
					t.Fatalf("no entry in %s", got)
				}
				var s Server
				s.read(entry)
				if s.URL != e.URL {
					t.Errorf("the client reads the URL %q, want %q", s.URL, e.URL)
				}
				switch v {
				case Proxy:
					if !slices.Equal(s.Command, e.Proxy) {
						t.Errorf("the client starts %q, want %q", s.Command, e.Proxy)
					}
				case Helper:
					if h := first(entry, "headersHelper", "http_headers_helper"); h != e.Helper {
						t.Errorf("the client reads the helper %q, want %q", h, e.Helper)
					}
				case Variable:
					h, _ := first(entry, "headers", "env_http_headers").(map[string]any)
					if text, _ := h["Authorization"].(string); !strings.Contains(text, e.Variable) {
						t.Errorf("the client reads the headers %q, want the variable's name in one", h)
					}
				}
			})
		}
	}
}

func first(m map[string]any, keys ...string) any {
	for _, key := range keys {
		if v, ok := m[key]; ok {
			return v
		}
	}
	return nil
}

// FuzzQuoted: a quoted string is parsed back unchanged as TOML and YAML, and does
// not control a terminal.
func FuzzQuoted(f *testing.F) {
	f.Add(`C:\Program Files\"x"` + "\t\x7f\u00fc")
	f.Add("\x1b[31m\u009b\u202e\U000e0041\n##vso[x]### ::add-mask::x")
	f.Fuzz(func(t *testing.T, s string) {
		s = strings.ToValidUTF8(s, "?") // URLs and paths are validated to be so
		text := quoted(s)
		for _, format := range []struct {
			syntax
			sign string
		}{{tomlSyntax{}, " = "}, {yamlSyntax{}, ": "}} {
			m, err := format.decode([]byte("V" + format.sign + text))
			if err != nil || m["V"] != s {
				t.Errorf("quoted(%q) is parsed as %q by %T, %v", s, m["V"], format.syntax, err)
			}
		}
		if terminaltest.Steers(text) || terminaltest.MayCommand(text) || strings.Contains(text, "\n") {
			t.Errorf("quoted(%q) = %q", s, text)
		}
	})
}

func TestQuoteForWindows(t *testing.T) {
	for _, tt := range []struct{ goos, word, want string }{
		{"linux", "/opt/my tools/mcp-login", "'/opt/my tools/mcp-login'"},
		{"windows", `C:\Program Files\mcp-login.exe`, `"C:\Program Files\mcp-login.exe"`},
		{"windows", `C:\bin\mcp-login.exe`, `C:\bin\mcp-login.exe`},
	} {
		if got := Quote(tt.goos, tt.word); got != tt.want {
			t.Errorf("Quote(%q, %q) = %q, want %q", tt.goos, tt.word, got, tt.want)
		}
	}
}

// TestFiles: the location of each client's file on each system.
func TestFiles(t *testing.T) {
	want := map[string][3]string{ // linux, darwin, windows
		"claude-code":    {"~/.claude.json", "~/.claude.json", "~/.claude.json"},
		"claude-desktop": {"", "~/Library/Application Support/Claude/claude_desktop_config.json", "~/AppData/Roaming/Claude/claude_desktop_config.json"},
		"codex":          {"~/.codex/config.toml", "~/.codex/config.toml", "~/.codex/config.toml"},
		"vscode":         {"~/.config/Code/User/mcp.json", "~/Library/Application Support/Code/User/mcp.json", "~/AppData/Roaming/Code/User/mcp.json"},
		"cursor":         {"~/.cursor/mcp.json", "~/.cursor/mcp.json", "~/.cursor/mcp.json"},
		"gemini":         {"~/.gemini/settings.json", "~/.gemini/settings.json", "~/.gemini/settings.json"},
		"opencode":       {"~/.config/opencode/opencode.json", "~/.config/opencode/opencode.json", "~/.config/opencode/opencode.json"},
		"copilot-cli":    {"~/.copilot/mcp-config.json", "~/.copilot/mcp-config.json", "~/.copilot/mcp-config.json"},
		"zed":            {"~/.config/zed/settings.json", "~/.config/zed/settings.json", "~/AppData/Roaming/Zed/settings.json"},
		"windsurf":       {"~/.codeium/windsurf/mcp_config.json", "~/.codeium/windsurf/mcp_config.json", "~/.codeium/windsurf/mcp_config.json"},
		"goose":          {"~/.config/goose/config.yaml", "~/.config/goose/config.yaml", "~/AppData/Roaming/Block/goose/config/config.yaml"},
		"cline":          {"~/.cline/data/settings/cline_mcp_settings.json", "~/.cline/data/settings/cline_mcp_settings.json", "~/.cline/data/settings/cline_mcp_settings.json"},
		"generic":        {},
	}
	for _, c := range Clients() {
		for i, goos := range []string{"linux", "darwin", "windows"} {
			got := c.File(Places{Home: "/home/me", GOOS: goos, Getenv: func(string) string { return "" }})
			if got = strings.Replace(filepath.ToSlash(got), "/home/me", "~", 1); got != want[c.Name][i] {
				t.Errorf("%s on %s: %q, want %q", c.Name, goos, got, want[c.Name][i])
			}
		}
	}
	vars := map[string]string{"XDG_CONFIG_HOME": "/x", "CODEX_HOME": "/c", "CLAUDE_CONFIG_DIR": "/l", "OPENCODE_CONFIG": "/o.json"}
	for name, want := range map[string]string{
		"vscode": "/x/Code/User/mcp.json", "zed": "/x/zed/settings.json", "codex": "/c/config.toml",
		"claude-code": "/l/.claude.json", "opencode": "/o.json",
	} {
		c, _ := Find(name)
		if got := c.File(Places{Home: "/home/me", GOOS: "linux", Getenv: func(name string) string { return vars[name] }}); filepath.ToSlash(got) != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}
