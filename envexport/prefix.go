package envexport

import (
	"strings"

	"github.com/mcp-login/mcp-login/internal/ascii"
)

// Prefix returns the variable prefix of a profile: "MCP_" and the profile's
// name in upper case, with "_" for everything that is not an ASCII letter or
// digit. "my.server-2" gives "MCP_MY_SERVER_2".
func Prefix(profile string) string {
	return "MCP_" + strings.Map(func(r rune) rune {
		switch {
		case ascii.Lower(r):
			return r - 'a' + 'A'
		case ascii.Alphanumeric(r):
			return r
		}
		return '_'
	}, profile)
}

// Collision returns the first of others with the same [Prefix] as profile, such
// as "a-b" and "a_b". It ignores the profile itself.
func Collision(profile string, others []string) (other string, found bool) {
	prefix := Prefix(profile)
	for _, other := range others {
		if other != profile && Prefix(other) == prefix {
			return other, true
		}
	}
	return "", false
}
