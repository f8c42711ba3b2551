package printable_test

import (
	"strings"
	"testing"
	"unicode"

	"github.com/mcp-login/mcp-login/internal/printable"
)

func TestLine(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"plain text, grün, 日本語, │▀", "plain text, grün, 日本語, │▀"},
		{"\x1b[31mred\x1b[m\a", "[31mred[m"},
		{"c1 \u009b31m", "c1 31m"},
		{"one\ntwo\r\nthree\u2028four\tfive\u0085six", "one two  three four five six"},
		{"ad\u202emin \u2066x\u2069", "admin x"},
		{"pay\u200bpal\ufeff \u3164\u115f\U000e0041\ufe0f", "paypal "},
		{"bad \xff\xfe\xc3", "bad "},
		{"\x00\x7f", ""},
	} {
		if got := printable.Line(tt.text); got != tt.want {
			t.Errorf("Line(%q) = %q, want %q", tt.text, got, tt.want)
		}
	}
	if got := printable.Text("a\r\n\x1bb\n"); got != "a \nb\n" {
		t.Errorf("Text = %q", got)
	}
}

// TestRuneRejectsDefaultIgnorables compares with DerivedCoreProperties.txt: its
// default ignorable code points outside of category Cf are invisible.
func TestRuneRejectsDefaultIgnorables(t *testing.T) {
	for r := range rune(unicode.MaxRune) {
		invisible := unicode.In(r, unicode.C, unicode.Zl, unicode.Zp, unicode.Bidi_Control, unicode.Join_Control,
			unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
		if invisible && printable.Rune(r) {
			t.Errorf("%U is printable", r)
		}
	}
}

func FuzzLineIsPrintable(f *testing.F) {
	for _, seed := range []string{"\x1b]0;x\a", "a\u202eb", "\xe2\x80", "x\ny"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if got := printable.Line(text); !printable.Is(got) {
			t.Errorf("Line(%q) = %q", text, got)
		}
		if printable.Is(text) && printable.Line(text) != text {
			t.Errorf("Line changes %q", text)
		}
		if got := strings.ReplaceAll(printable.Text(text), "\n", " "); got != printable.Line(text) {
			t.Errorf("Text(%q) = %q", text, got)
		}
	})
}
