package file

import (
	"strings"

	"github.com/mcp-login/mcp-login/internal/ascii"
)

const hexDigits = "0123456789abcdef"

// escape encodes a record's name for use in a file name. Lower case letters,
// digits, "_", "-" and inner dots are unchanged, every other byte becomes "%"
// and two lower case hex digits. So case folding and Unicode normalization do
// not change the result, it has no characters that Windows forbids or drops,
// and it is at most three times as long.
func escape(name string) string {
	var b strings.Builder
	for i := range len(name) {
		c := name[i]
		if plain(c) || c == '.' && i < len(name)-1 {
			b.WriteByte(c)
			continue
		}
		b.WriteByte('%')
		b.WriteByte(hexDigits[c>>4])
		b.WriteByte(hexDigits[c&15])
	}
	return b.String()
}

// unescape reverses escape. It rejects texts that escape never returns, so that
// no two files have the same record name.
func unescape(s string) (name string, ok bool) {
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] != '%' {
			b = append(b, s[i])
			continue
		}
		if i+2 >= len(s) {
			return "", false
		}
		hi, lo := strings.IndexByte(hexDigits, s[i+1]), strings.IndexByte(hexDigits, s[i+2])
		if hi < 0 || lo < 0 {
			return "", false
		}
		b = append(b, byte(hi<<4|lo))
		i += 2
	}
	return string(b), escape(string(b)) == s
}

func plain(c byte) bool {
	return ascii.Lower(rune(c)) || ascii.Digit(rune(c)) || c == '_' || c == '-'
}
