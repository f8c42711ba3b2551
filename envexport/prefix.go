package envexport

import (
	"strings"

	"github.com/mcp-login/mcp-login/internal/ascii"
)

// Prefix returns the beginning of the variables' names for a profile: "MCP_"
// and the profile's name in upper case, with "_" for everything that is not an
// ASCII letter or digit. "my.server-2" gives "MCP_MY_SERVER_2".
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

// Collision returns the first of others whose [Prefix] is that of profile, as
// "a-b" and "a_b" have. The profile itself does not count.
func Collision(profile string, others []string) (other string, found bool) {
	prefix := Prefix(profile)
	for _, other := range others {
		if other != profile && Prefix(other) == prefix {
			return other, true
		}
	}
	return "", false
}
