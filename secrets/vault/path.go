package vault

import (
	"encoding/hex"
	"strings"

	"github.com/mcp-login/mcp-login/internal/ascii"
)

// escape encodes a name as one path segment: letters, digits, "-", "_" and
// single inner dots are unchanged, every other byte becomes "~" and two hex
// digits. "~" has no special meaning in URLs, so proxies do not rewrite it; the
// result never has "/" or "..", which Vault rejects. Vault's paths are
// case-sensitive.
func escape(name string) string {
	var b strings.Builder
	for i := range len(name) {
		if c := name[i]; plain(c) || c == '.' && i > 0 && name[i-1] != '.' {
			b.WriteByte(c)
		} else {
			b.WriteByte('~')
			b.WriteString(strings.ToUpper(hex.EncodeToString([]byte{c})))
		}
	}
	return b.String()
}

// unescape reverses escape. It returns false for texts that escape never
// returns.
func unescape(segment string) (string, bool) {
	var b strings.Builder
	for rest := segment; rest != ""; {
		if rest[0] != '~' {
			b.WriteByte(rest[0])
			rest = rest[1:]
			continue
		}
		if len(rest) < 3 {
			return "", false
		}
		c, err := hex.DecodeString(rest[1:3])
		if err != nil {
			return "", false
		}
		b.Write(c)
		rest = rest[3:]
	}
	return b.String(), segment != "" && escape(b.String()) == segment
}

func plain(c byte) bool {
	return ascii.Alphanumeric(rune(c)) || c == '-' || c == '_'
}

// isPath reports whether p consists of segments of plain characters. It rejects
// characters that a policy, a URL or path.Join interprets, such as "*", "%" or
// "..".
func isPath(p string) bool {
	for segment := range strings.SplitSeq(p, "/") {
		if segment == "" || segment[0] == '.' || strings.Contains(segment, "..") {
			return false
		}
		for i := range len(segment) {
			if !plain(segment[i]) && segment[i] != '.' {
				return false
			}
		}
	}
	return true
}
