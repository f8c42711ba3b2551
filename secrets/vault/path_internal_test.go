package vault

import (
	"strings"
	"testing"

	"github.com/mcp-login/mcp-login/secrets"
)

func TestEscape(t *testing.T) {
	for name, want := range map[string]string{
		"notion":      "notion",
		"Notion_2-x":  "Notion_2-x",
		"a.b":         "a.b",
		"..":          "~2E~2E",
		"a..b":        "a.~2Eb",
		"a/../b":      "a~2F.~2E~2Fb",
		"a b":         "a~20b",
		"~2F":         "~7E2F",
		"caf\u00e9":   "caf~C3~A9",
		"100%":        "100~25",
		"secret/data": "secret~2Fdata",
	} {
		if got := escape(name); got != want {
			t.Errorf("escape(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestUnescapeRejects(t *testing.T) {
	for _, segment := range []string{"", "~", "~2", "~zz", "~2f", "~61", "a b", "a/b", ".", "a..b", "~lease", "~probe-X", "café", "folder/"} {
		if name, ok := unescape(segment); ok {
			t.Errorf("unescape(%q) = %q, want no name", segment, name)
		}
	}
}

// FuzzEscape: a name becomes one harmless segment of a path, and is decoded
// unchanged.
func FuzzEscape(f *testing.F) {
	for _, name := range []string{"a", "..", "a/b", "~", "%2F", "\x00", "é"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		segment := escape(name)
		back, ok := unescape(segment)
		if name != "" && (!ok || back != name) {
			t.Errorf("unescape(escape(%q)) = %q, %v", name, back, ok)
		}
		if strings.ContainsAny(segment, "/%?#*+ \\") || strings.Contains(segment, "..") || strings.HasPrefix(segment, ".") {
			t.Errorf("escape(%q) = %q, which Vault or a proxy parses differently", name, segment)
		}
		if secrets.CheckName(name) == nil && len(segment) > 240 {
			t.Errorf("escape(%q) has %d bytes", name, len(segment))
		}
	})
}

func TestIsPath(t *testing.T) {
	for path, want := range map[string]bool{
		"secret": true, "team/kv": true, "mcp-login": true, "a.b/c_d": true,
		"": false, "a//b": false, "..": false, "a/../b": false, ".hidden": false, "a..b": false,
		"a b": false, "a*": false, "+": false, "a%2f": false, "a?b": false, "é": false, "~lease": false,
	} {
		if got := isPath(path); got != want {
			t.Errorf("isPath(%q) = %v, want %v", path, got, want)
		}
	}
}
