package ascii_test

import (
	"testing"

	"github.com/mcp-login/mcp-login/internal/ascii"
)

// TestAlphabets compares each alphabet with all one-byte characters and some
// others.
func TestAlphabets(t *testing.T) {
	const lower, upper, digits = "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789"
	const controls = "\x00\x01\x02\x03\x04\x05\x06\a\b\t\n\v\f\r\x0e\x0f\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f\x7f"
	const marks = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
	for name, a := range map[string]struct {
		is   func(rune) bool
		want string
	}{
		"Digit":        {ascii.Digit, digits},
		"Lower":        {ascii.Lower, lower},
		"Upper":        {ascii.Upper, upper},
		"Base32":       {ascii.Base32, upper + "234567"},
		"Letter":       {ascii.Letter, lower + upper},
		"Alphanumeric": {ascii.Alphanumeric, lower + upper + digits},
		"Visible":      {ascii.Visible, lower + upper + digits + marks},
		"Printable":    {ascii.Printable, lower + upper + digits + marks + " "},
		"Unreserved":   {ascii.Unreserved, lower + upper + digits + "-._~"},
		"Hex":          {ascii.Hex, digits + "abcdefABCDEF"},
		"Control":      {ascii.Control, controls},
		"TokenChar":    {ascii.TokenChar, lower + upper + digits + "!#$%&'*+-.^_`|~"},
	} {
		want := map[rune]bool{}
		for _, r := range a.want {
			want[r] = true
		}
		for r := rune(-1); r < 0x300; r++ {
			if a.is(r) != want[r] {
				t.Errorf("%s(%q) = %v", name, r, a.is(r))
			}
		}
	}
}

func TestOnly(t *testing.T) {
	for s, want := range map[string]bool{"": true, "abc": true, "ab1": false, "aé": false, "a\xff": false} {
		if got := ascii.Only(s, ascii.Letter); got != want {
			t.Errorf("Only(%q) = %v", s, got)
		}
	}
}
