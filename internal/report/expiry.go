package report

import (
	"time"

	"github.com/mcp-login/mcp-login/internal/printable"
)

// Expires says when a token expires, for people.
func Expires(t time.Time) string {
	if t.IsZero() {
		return "has an unknown lifetime"
	}
	left := time.Until(t).Round(time.Second)
	if left <= 0 {
		return "expired " + printable.Duration(-left) + " ago"
	}
	return "expires in " + printable.Duration(left)
}

// Remains says how long a token that was not revoked can be used.
func Remains(expiry time.Time) string {
	if expiry.IsZero() {
		return "remains valid for an unknown time"
	}
	return Expires(expiry)
}
