package ci_test

import (
	"strings"
	"testing"

	"github.com/mcp-login/mcp-login/ci"
)

func TestEscape(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"plain text", "plain text"},
		{"::add-mask::x", ": :add-mask::x"},
		{"  ::error::x", "| ::error::x"},
		{"\u200b::error::x", "| ::error::x"},
		{"see http://[::1]:80/", "see http://[::1]:80/"},
		{"a ##[add-mask]x", "a # #[add-mask]x"},
		{"####vso[task.complete]", "# # # #vso[task.complete]"},
		{"one\n##teamcity[x]\r\ntwo", "one # #teamcity[x]  two"},
		{"a ::add-mask::x", "a : :add-mask::x"},
		{":::add-mask::x", "| :: :add-mask::x"},
		{"--- :group", "| --- :group"},
		{"^^^ +++", "| ^^^ +++"},
		{"\x1b[0Ksection_start:1:a\r\x1b[0K", "[0Ksection_start:1:a  [0K"},
		{"a\u202eb\u2066c\ufeffd", "a b c d"},
		{"\xff\xfe", ""},
		{"", ""},
	} {
		if got := ci.Escape(tt.text); got != tt.want {
			t.Errorf("Escape(%q) = %q, want %q", tt.text, got, tt.want)
		}
	}
}

func TestLog(t *testing.T) {
	var out strings.Builder
	text := "one\n\n    ::error::x\n  two ##[y]\nlast"
	if n, err := (ci.Log{W: &out}).Write([]byte(text)); n != len(text) || err != nil {
		t.Errorf("Write = %d, %v, want %d", n, err, len(text))
	}
	if got, want := out.String(), "one\n\n    | ::error::x\n  two # #[y]\nlast"; got != want {
		t.Errorf("wrote %q, want %q", got, want)
	}
}

func FuzzEscapeIsNeverACommand(f *testing.F) {
	for _, seed := range []string{"::add-mask::x", "##[error]x", "a ##vso[task.setsecret]x", "#\u200b#[x]", "# ##[x]", "\n::stop-commands::x", "##\x00#vso[a.b]"} {
		f.Add("", seed)
		f.Add("mcp-login: ", seed)
	}
	f.Fuzz(func(t *testing.T, before, text string) {
		got := ci.Escape(text)
		if strings.ContainsAny(got, "\r\n\x1b\x00") {
			t.Errorf("Escape(%q) = %q contains a control character", text, got)
		}
		if again := ci.Escape(got); again != got {
			t.Errorf("Escape is not stable: %q, then %q", got, again)
		}
		for _, line := range []string{got, "  " + got, "mcp-login: " + got} {
			if c, ok := parseGitHubCommand(line); ok {
				t.Errorf("GitHub reads %q as %+v", line, c)
			}
			if strings.Contains(line, "::add-mask") {
				t.Errorf("%q may look like a mask to GitLab's runner", line)
			}
			if strings.Contains(line, "##") {
				t.Errorf("%q may look like a command to Azure or TeamCity", line)
			}
		}
	})
}
