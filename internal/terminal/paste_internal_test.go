package terminal

import (
	"strings"
	"testing"
)

func TestTypedText(t *testing.T) {
	t.Parallel()
	const on, off = "\x1b[200~", "\x1b[201~"
	for _, tt := range []struct {
		name, keys, text, echo string
		end                    textEnd
		settled                bool
	}{
		{"typed", "abc", "abc", "abc", unfinished, false},
		{"entered", "abc\r", "abc\n", "abc", unfinished, true},
		{"wrapped", "abc\rdef\r\n", "abc\ndef\n\n", "abcdef", unfinished, true},
		{"only Enter", "\r\r", "", "", unfinished, false},
		{"corrected", "abx\x7f\x08c", "ac", "abx\b \b\b \bc", unfinished, false},
		{"started over", "abc\x15de", "de", "abc\b \b\b \b\b \bde", unfinished, false},
		{"pasted", on + "a\nb" + off, "a\nb", "", endText, false},
		{"pasted nothing", on + off, "", "", unfinished, false},
		{"escape sequence inside a paste", on + "a\x1b]0;x" + off, "a0;x", "", endText, false},
		{"arrows and Alt", "a\x1b[A\x1b[1;5D\x1bOPb", "aPb", "aPb", unfinished, false},
		{"end of input", "\x04", "", "", endInput, false},
		{"end of input after text", "a\x04", "a", "a", unfinished, false},
		{"control characters", "a\x01\x07\tb", "ab", "ab", unfinished, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var typed typedText
			var echo strings.Builder
			end := unfinished
			for _, c := range []byte(tt.keys) {
				var shown string
				shown, end = typed.feed(c)
				echo.WriteString(shown)
			}
			if typed.String() != tt.text || echo.String() != tt.echo || end != tt.end || typed.settled() != tt.settled {
				t.Errorf("%q gives %q, shows %q, end %v, settled %v; want %q, %q, %v, %v",
					tt.keys, typed.String(), echo.String(), end, typed.settled(), tt.text, tt.echo, tt.end, tt.settled)
			}
		})
	}
}

// FuzzTypedText: with any input, only printable characters and corrections are
// shown.
func FuzzTypedText(f *testing.F) {
	f.Add([]byte("\x1b[200~a\x1b[201~"))
	f.Add([]byte("a\x1b]52;c;\x07\x7f\x15"))
	f.Fuzz(func(t *testing.T, keys []byte) {
		var typed typedText
		for _, c := range keys {
			shown, _ := typed.feed(c)
			if rest := strings.ReplaceAll(shown, "\b \b", ""); strings.ContainsFunc(rest, func(r rune) bool { return r < ' ' }) {
				t.Fatalf("%q shows %q", keys, shown)
			}
		}
		if len(typed.text) > maxTyped || len(typed.escape) > 16 {
			t.Fatalf("%d bytes of text, %d of an escape sequence are kept", len(typed.text), len(typed.escape))
		}
	})
}
