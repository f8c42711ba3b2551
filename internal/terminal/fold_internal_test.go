package terminal

import (
	"io"
	"slices"
	"strings"
	"testing"
)

func TestFold(t *testing.T) {
	for _, tt := range []struct {
		text   string
		indent int
		cols   int
		want   []string
	}{
		{"  fail  status: 404", 8, 80, []string{"  fail  status: 404"}},
		{"  fail  status: nothing exists", 8, 0, []string{"  fail  status: nothing exists"}},
		{"  fail  status: nothing exists", 8, 20, []string{"  fail  status:", "        nothing", "        exists"}},
		{"path  /home/ada/a-very-long-folder", 6, 20, []string{"path  /home/ada/a-very-long-folder"}},
		{"path  see /home/ada/a-very-long-folder", 6, 20, []string{"path  see", "      /home/ada/a-very-long-folder"}},
		{"        if you know it: mcp-login login NAME URL --issuer ISSUER", 8, 40, []string{"        if you know it:", "        mcp-login login NAME URL --issuer ISSUER"}},
		{"locked  yes; unlock it: mcp-login unlock, or set PASSPHRASE", 8, 26, []string{"locked  yes; unlock it:", "        mcp-login unlock,", "        or set PASSPHRASE"}},
		{"warning: sign in again; run mcp-login login notion URL", 2, 40, []string{"warning: sign in again; run", "  mcp-login login notion URL"}},
		{"authorization-endpoint  https://a.example/authorize", 24, 32, []string{"authorization-endpoint", "    https://a.example/authorize"}},
		{"                        https://a.example/authorize", 24, 32, []string{"    https://a.example/authorize"}},
		{"für  ein wort", 5, 10, []string{"für  ein", "     wort"}},
		{"         ", 5, 6, nil},
		{"ab", 5, 1, []string{"ab"}},
	} {
		if got := fold(tt.text, tt.indent, tt.cols); !slices.Equal(got, tt.want) {
			t.Errorf("fold(%q, %d, %d) = %q, want %q", tt.text, tt.indent, tt.cols, got, tt.want)
		}
	}
}

// TestFactsFitTheTerminal: continuation lines are aligned with the value, and a
// pipe gets each fact in one line.
func TestFactsFitTheTerminal(t *testing.T) {
	var text Text
	text.Facts([]Fact{
		{"store", Cell{Text: "file:/x"}}, {"address", Cell{}}, {"safe from", Cell{Text: "copies of the folder; other users"}},
	})
	if got := text.fit(0).String(); got != "store      file:/x\nsafe from  copies of the folder; other users\n" {
		t.Errorf("unbroken:\n%s", got)
	}
	if got := text.fit(30).String(); got != "store      file:/x\nsafe from  copies of the\n           folder; other users\n" {
		t.Errorf("in 30 columns:\n%s", got)
	}
}

// TestPartsBesideEachOther: a second part that does not fit begins a line, and a pipe gets
// both in one.
func TestPartsBesideEachOther(t *testing.T) {
	var text Text
	text.Beside(8, "store   -  ", "default")
	text.Beside(8, "folder  /home/ada/mine  ", "flag --folder")
	text.Beside(8, "file    /home/ada/mine/longer  ", "flag --file")
	if got := text.fit(0).String(); got != "store   -  default\nfolder  /home/ada/mine  flag --folder\nfile    /home/ada/mine/longer  flag --file\n" {
		t.Errorf("unbroken:\n%s", got)
	}
	want := "store   -  default\nfolder  /home/ada/mine\n        flag --folder\nfile\n    /home/ada/mine/longer\n        flag --file\n"
	if got := text.fit(26).String(); got != want {
		t.Errorf("in 26 columns:\n%s", got)
	}
}

// TestMessagesFitTheTerminal: an error is wrapped at spaces, and a hint is not
// wrapped, because it is copied.
func TestMessagesFitTheTerminal(t *testing.T) {
	var shown strings.Builder
	d := NewDisplay(&shown, false)
	d.kinds, d.cols = true, 30
	for _, line := range []string{"mcp-login: \"demo\" has no URL yet: it is not signed in to\n", "hint: mcp-login login demo https://mcp.example.com/mcp\n", "  profile  a very long name of a profile\n"} {
		io.WriteString(d, line)
	}
	const want = "mcp-login: \"demo\" has no URL\n  yet: it is not signed in to\n" +
		"hint: mcp-login login demo https://mcp.example.com/mcp\n  profile  a very long name of a profile\n"
	if shown.String() != want {
		t.Errorf("shown:\n%s\nwant:\n%s", shown.String(), want)
	}
}
