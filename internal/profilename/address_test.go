package profilename

import "testing"

func TestAddress(t *testing.T) {
	for text, want := range map[string]string{
		"https://mcp.notion.com/mcp": "https://mcp.notion.com/mcp",
		"ftp://x":                    "ftp://x", // rejected later, by its scheme
		"mcp.notion.com/mcp":         "https://mcp.notion.com/mcp",
		"mcp.notion.com":             "https://mcp.notion.com",
		"MCP.Notion.com:8443/mcp":    "https://MCP.Notion.com:8443/mcp",
		"localhost:8772/mcp":         "http://localhost:8772/mcp",
		"127.0.0.1:8772/mcp":         "http://127.0.0.1:8772/mcp",
		"[::1]:8772/mcp":             "http://[::1]:8772/mcp",
		"192.0.2.7/mcp":              "https://192.0.2.7/mcp",
		"notion":                     "",
		"localhost":                  "",
		"my.server":                  "",
		"team/notion":                "",
		"com":                        "",
		"user@mcp.notion.com":        "",
		"":                           "",
		"a b.com":                    "",
		"1234":                       "",
	} {
		got, ok := Address(text)
		if got != want || ok != (want != "") {
			t.Errorf("%q: %q, %v, want %q", text, got, ok, want)
		}
	}
}
