package oauth_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/mcp-login/mcp-login/oauth"
)

func TestCheckURL(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		raw string
		ok  bool
	}{
		{"https://as.test", true}, {"https://as.test/a?b=c", true}, {"HTTPS://as.test/", true}, {"https://xn--bcher-kva.example/", true},
		{"https://10.0.0.1/", true}, // rejected at the connection, not here
		{"http://localhost:8080/x", true}, {"http://LOCALHOST/x", true}, {"http://127.0.0.1:1/", true}, {"http://127.9.9.9/", true},
		{"http://[::1]:80/", true}, {"http://[::ffff:127.0.0.1]/", true},
		{"", false}, {"as.test", false}, {"//as.test/x", false}, {"http://as.test/", false}, {"http://10.0.0.1/", false},
		{"http://localhost.evil.test/", false}, {"http://127.0.0.1.evil.test/", false}, {"https://", false}, {"https:///x", false},
		{"https:as.test", false}, {"javascript:alert(1)", false}, {"file:///etc/passwd", false}, {"ms-settings:x", false}, {"--flag=https://as.test", false},
		{"https://u@as.test/", false}, {"https://u:p@as.test/", false}, {"https://as.test/#f", false}, {"https://as.test/#", false},
		{"https://as.test/\x1b[31m", false}, {"https://as.test/\n", false}, {"https://as.test/a b", false}, {" https://as.test", false},
		{"https://as.test/\u202eevil", false}, {"https://as.test/\u200b", false}, {"https://as.test/\xff", false}, {"https://b\u00fccher.example/", false},
		{"https://as.test\\@evil.test/", false}, {"https://as.test:port/", false}, {"https://[::1", false}, {"https://%zz/", false},
		{"http://2130706433/", false}, {"https://2130706433/", false}, {"https://0x7f000001/", false}, {"https://127.1/", false}, {"https://1.2.3.0x4./", false},
		{"https://as.test/" + strings.Repeat("a", 2048), false},
	} {
		u, err := oauth.CheckURL(tt.raw)
		if tt.ok {
			checkErr(t, err, nil)
		} else if checkErr(t, err, errURL); err == nil || u != nil {
			t.Errorf("CheckURL(%q) = %v, want an error", tt.raw, u)
		}
	}
}

func TestURLErrorHidesSecrets(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{"https://u:hunter2@as.test/", "http://as.test/?code=hunter2", "https://as.test/?x#hunter2", "https://u:hunter2@[::1"} {
		if _, err := oauth.CheckURL(raw); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("CheckURL(%q): error %v shows the secret", raw, err)
		}
	}
}

func TestSanitize(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		in    string
		limit int
		want  string
	}{
		{"plain", 10, "plain"}, {"  a \r\n\t b  ", 10, "a b"}, {"\x1b[31mred\x07", 10, "[31mred"}, {"a\u202eb\u2066c\u200bd\ufeffe", 10, "abcde"},
		{"\u009b31m", 10, "31m"}, {"bad\xffutf8", 10, "badutf8"}, {"abcdef", 3, "abc"}, {"ab cd", 3, "ab"}, {"äöü", 2, "äö"},
		{"\u2028::add-mask::x", 20, "::add-mask::x"}, {"a\u3164\u115f\ufe0fb", 10, "ab"}, {"", 5, ""}, {"x", 0, ""},
	} {
		if got := oauth.Sanitize(tt.in, tt.limit); got != tt.want {
			t.Errorf("Sanitize(%q, %d) = %q, want %q", tt.in, tt.limit, got, tt.want)
		}
	}
}

// FuzzText: sanitized text is short, printable and stable; an accepted URL is
// formatted and parsed back unchanged.
func FuzzText(f *testing.F) {
	f.Add("https://as.test/a?b=%0a", 20)
	f.Add("a\u202e\x1b[0m b", 3)
	f.Fuzz(func(t *testing.T, s string, limit int) {
		got := oauth.Sanitize(s, limit)
		if utf8.RuneCountInString(got) > max(limit, 0) || strings.ContainsFunc(got, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("Sanitize(%q, %d) = %q", s, limit, got)
		}
		if again := oauth.Sanitize(got, limit); again != got {
			t.Errorf("Sanitize(%q) changes to %q", got, again)
		}
		u, err := oauth.CheckURL(s)
		if err != nil {
			return
		}
		if again, err := oauth.CheckURL(u.String()); len(u.String()) <= 2048 && (err != nil || again.String() != u.String() || again.Host != u.Host) {
			t.Errorf("CheckURL(%q) = %q, parsed again %v, %v", s, u, again, err)
		}
	})
}
