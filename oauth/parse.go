package oauth

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/mcp-login/mcp-login/internal/ascii"
)

// tokenType normalises token_type, which is case-insensitive (RFC 6749 §7.1).
// Without one Bearer is assumed: some servers leave it out. N_A is what token
// exchange says of a token that is not an access token (RFC 8693 §2.2.1).
func tokenType(s, grant string) (string, bool) {
	switch {
	case s == "" || strings.EqualFold(s, "Bearer"):
		return "Bearer", true
	case strings.EqualFold(s, "DPoP"):
		return "DPoP", true
	case strings.EqualFold(s, "N_A") && grant == GrantTokenExchange:
		return "N_A", true
	}
	return "", false
}

// ValidToken reports whether s can be a token: 1 to 65536 characters of visible
// ASCII. That is wider than the b64token of RFC 6750 §2.1, because servers issue
// such tokens: those of Cloudflare's workers-oauth-provider hold colons. It
// still keeps a token to one word of one header line. Text that a program
// evaluates, such as a shell's, has to quote it.
func ValidToken(s string) bool {
	if s == "" || len(s) > maxToken {
		return false
	}
	return ascii.Only(s, ascii.Visible)
}

// isB64Token reports a character of a token68, as it stands in a challenge
// (RFC 9110 §11.2).
func isB64Token(r rune) bool {
	return ascii.Alphanumeric(r) || strings.ContainsRune("-._~+/", r)
}

// ValidText reports whether s can be a client id, a client secret or a refresh
// token: up to 65536 characters of VSCHAR (RFC 6749 appendix A), which includes
// the space and "".
func ValidText(s string) bool { return isVSChar(s, maxToken) }

// ValidScope reports whether s can be one scope: a scope-token (RFC 6749 §3.3).
func ValidScope(s string) bool { return isScope(s) }

// isVSChar reports whether s is at most limit characters of VSCHAR (RFC 6749
// appendix A), which includes "".
func isVSChar(s string, limit int) bool {
	return len(s) <= limit && ascii.Only(s, ascii.Printable)
}

// isScope reports whether s is a scope-token (RFC 6749 §3.3).
func isScope(s string) bool {
	return s != "" && ascii.Only(s, ascii.Visible) && !strings.ContainsAny(s, `"\`)
}

// parseScope reads a scope: separated by spaces, by commas (Slack, GitHub), or
// a list. It returns it separated by spaces.
func parseScope(raw json.RawMessage) (string, bool) {
	if len(raw) > maxScope {
		return "", false
	}
	var s string
	if len(raw) == 0 || json.Unmarshal(raw, &s) == nil {
		return joinScopes(strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == ',' }))
	}
	var list []string
	if json.Unmarshal(raw, &list) != nil {
		return "", false
	}
	return joinScopes(list)
}

func joinScopes(scopes []string) (string, bool) {
	for _, s := range scopes {
		if !isScope(s) {
			return "", false
		}
	}
	return strings.Join(scopes, " "), true
}

// seconds reads a duration. It is not ok if it is missing, unreadable or not
// positive: none of them says anything.
func seconds(raw json.RawMessage) (time.Duration, bool) {
	n, ok := number(raw)
	if !ok {
		return 0, false
	}
	return time.Duration(min(n, maxExpiresIn.Seconds()) * float64(time.Second)), true
}

// number reads a positive number, or a string of one, as some servers send it.
func number(raw json.RawMessage) (float64, bool) {
	text := strings.Trim(strings.TrimSpace(string(raw)), `"`)
	f, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	return f, err == nil && f > 0 // NaN is not
}
