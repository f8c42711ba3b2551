package profilename_test

import (
	"context"
	"testing"

	"github.com/mcp-login/mcp-login/internal/profilename"
	"github.com/mcp-login/mcp-login/secrets"
)

func TestBase(t *testing.T) {
	for server, want := range map[string]string{
		"https://mcp.notion.com/mcp":                   "notion",
		"https://mcp.sentry.dev/mcp":                   "sentry",
		"https://api.githubcopilot.com/mcp/":           "githubcopilot",
		"https://MCP.Example.CO.UK/mcp":                "example",
		"https://team.workers.dev/sse":                 "team",
		"https://linear.app./mcp":                      "linear",
		"http://localhost:8080/mcp":                    "localhost",
		"http://127.0.0.1:8080/mcp":                    "localhost",
		"http://[::1]:8080/mcp":                        "localhost",
		"https://192.0.2.7/mcp":                        "ip-192-0-2-7",
		"https://[2001:db8::1]/mcp":                    "ip-2001-db8--1",
		"https://intranet/mcp":                         "intranet",
		"https://xn--bcher-kva.example/mcp":            "xn--bcher-kva",
		"https://-.example/mcp":                        "server",
		"https://com/mcp":                              "com",
		"":                                             "server",
		"https://a_b.internal.example.com/":            "example",
		"https://mcp-server.eu-west-1.amazonaws.com/x": "amazonaws",
	} {
		got := profilename.Base(server)
		if got != want {
			t.Errorf("%s: %q, want %q", server, got, want)
		}
		if err := secrets.CheckName(got); err != nil {
			t.Errorf("%s: %v", server, err)
		}
	}
}

func TestFor(t *testing.T) {
	const url = "https://mcp.notion.com/mcp"
	for _, tt := range []struct {
		name   string
		stored map[string]string
		want   string
	}{
		{"nothing is stored", nil, "notion"},
		{"the derived name", map[string]string{"notion": url}, "notion"},
		{"a name that the user chose", map[string]string{"work": url, "other": "https://x.test/"}, "work"},
		{"the derived name belongs to another URL", map[string]string{"notion": "https://mcp.notion.com/other"}, "notion-1cbd"},
		{"and another name to this one", map[string]string{"notion": "https://mcp.notion.com/other", "mine": url}, "mine"},
		{"a record that cannot be read", map[string]string{"notion": ""}, "notion-1cbd"},
	} {
		known := profilename.Known{Server: func(_ context.Context, name string) string { return tt.stored[name] }}
		for name := range tt.stored {
			known.Names = append(known.Names, name)
		}
		if got := profilename.For(t.Context(), url, known); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}
