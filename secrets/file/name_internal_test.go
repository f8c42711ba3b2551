package file

import (
	"strings"
	"testing"

	"github.com/mcp-login/mcp-login/secrets"
)

// TestEscape pins the file names: they are part of the format.
func TestEscape(t *testing.T) {
	for name, want := range map[string]string{
		"notion":                 "notion",
		"my_server-2":            "my_server-2",
		"api.example.com":        "api.example.com",
		"Notion":                 "%4eotion",
		"a.":                     "a%2e",
		"..":                     ".%2e",
		"a/b":                    "a%2fb",
		"a b":                    "a%20b",
		"100%":                   "100%25",
		"é":                      "%c3%a9",
		strings.Repeat("A", 80):  strings.Repeat("%41", 80),
		"https://h.example/x?y#": "https%3a%2f%2fh.example%2fx%3fy%23",
	} {
		if got := escape(name); got != want {
			t.Errorf("escape(%q) = %q, want %q", name, got, want)
		}
		if got, ok := unescape(want); got != name || !ok {
			t.Errorf("unescape(%q) = %q, %v, want %q", want, got, ok, name)
		}
	}
}

// FuzzEscape: every name is decoded unchanged, fits a file name, and needs only
// lower-case ASCII.
func FuzzEscape(f *testing.F) {
	for _, name := range []string{"notion", "Ñ", "a.", "..", "%41", "\x00", "\xff", strings.Repeat("/", 80)} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		escaped := escape(name)
		if got, ok := unescape(escaped); got != name || !ok {
			t.Errorf("unescape(escape(%q)) = %q, %v", name, got, ok)
		}
		if strings.ToLower(escaped) != escaped || strings.ContainsAny(escaped, "/\\:*?\"<>| \x00") || strings.HasSuffix(escaped, ".") {
			t.Errorf("escape(%q) = %q, which some file system changes or rejects", name, escaped)
		}
		if secrets.CheckName(name) == nil && len(recordPrefix+escaped) > 255 {
			t.Errorf("escape(%q) is too long for a file name", name)
		}
	})
}

// FuzzUnescape: no two file names decode to one record.
func FuzzUnescape(f *testing.F) {
	for _, s := range []string{"notion", "%41", "%4A", "%4a", "A", "%", "%6", "%61", "a.", ".", "%2e"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if name, ok := unescape(s); ok && escape(name) != s {
			t.Errorf("unescape(%q) = %q, whose file is %q", s, name, escape(name))
		}
	})
}
