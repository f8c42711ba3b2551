package clientconfig

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2"

	"github.com/mcp-login/mcp-login/internal/terminal/terminaltest"
)

func TestClientSnippets(t *testing.T) {
	e := Entry{"my notion", "https://mcp.notion.com/mcp?a=b&c=d", `/opt/a 'b'/mcp-login headers 'my notion' --json`, "MCP_MY_NOTION_AUTHORIZATION"}
	for _, c := range Clients() {
		t.Run(c.Name, func(t *testing.T) {
			got := c.Snippet(e)
			terminaltest.Golden(t, filepath.Join("testdata", c.Name+".golden"), got)
			server := parseSnippet(t, c.Name, got)
			if u := first(server, "url", "httpUrl"); u != e.URL {
				t.Errorf("the client reads the URL %q, want %q", u, e.URL)
			}
			if c.Helper {
				if h := first(server, "headersHelper", "http_headers_helper"); h != e.Helper {
					t.Errorf("the client reads the helper %q, want %q", h, e.Helper)
				}
				return
			}
			if h := server["headers"].(map[string]any)["Authorization"].(string); !strings.Contains(h, "MCP_MY_NOTION_AUTHORIZATION") {
				t.Errorf("the client reads the header %q, want the variable's name in it", h)
			}
		})
	}
}

// parseSnippet returns the one server of a snippet, found as the client does.
func parseSnippet(t *testing.T, client, snippet string) map[string]any {
	t.Helper()
	root := map[string]any{}
	var err error
	if client == "codex" {
		err = toml.Unmarshal([]byte(snippet), &root)
	} else {
		err = json.Unmarshal([]byte(snippet), &root)
	}
	if err != nil {
		t.Fatalf("parse %s: %v", snippet, err)
	}
	path := map[string][]string{
		"codex": {"mcp_servers", "my-notion"}, "vscode": {"servers", "my-notion"}, "opencode": {"mcp", "servers", "my-notion"},
	}[client]
	if path == nil {
		path = []string{"mcpServers", "my-notion"}
	}
	for _, key := range path {
		next, ok := root[key].(map[string]any)
		if !ok {
			t.Fatalf("%s has no %v", snippet, path)
		}
		root = next
	}
	return root
}

func first(m map[string]any, keys ...string) any {
	for _, key := range keys {
		if v, ok := m[key]; ok {
			return v
		}
	}
	return nil
}

func FuzzTOMLString(f *testing.F) {
	f.Add(`C:\Program Files\"x"` + "\t\x7f\u00fc")
	f.Add("\x1b[31m\u009b\u202e\U000e0041\n##vso[x]### ::add-mask::x")
	f.Fuzz(func(t *testing.T, s string) {
		s = strings.ToValidUTF8(s, "?") // URLs and paths were checked to be so
		var got struct{ V string }
		text := tomlString(s)
		if err := toml.Unmarshal([]byte("V = "+text), &got); err != nil || got.V != s {
			t.Errorf("tomlString(%q) is read as %q, %v", s, got.V, err)
		}
		if terminaltest.Steers(text) || terminaltest.MayCommand(text) || strings.Contains(text, "\n") {
			t.Errorf("tomlString(%q) = %q", s, text)
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
