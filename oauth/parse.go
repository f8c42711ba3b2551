package oauth

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/mcp-login/mcp-login/internal/ascii"
)

// tokenType normalizes token_type, which is case-insensitive (RFC 6749 §5.1).
// The default is Bearer, because some servers omit it. Token exchange uses N_A
// for a token that is not an access token (RFC 8693 §2.2.1).
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
// ASCII. That allows more than the b64token of RFC 6750 §2.1, because servers
// issue such tokens: those of Cloudflare's workers-oauth-provider contain
// colons. A valid token has no white space, so it is safe in a header. Quote it
// in text that a program evaluates, such as a shell script.
func ValidToken(s string) bool {
	if s == "" || len(s) > maxToken {
		return false
	}
	return ascii.Only(s, ascii.Visible)
}

// isB64Token reports whether r is a token68 character (RFC 9110 §11.2).
func isB64Token(r rune) bool {
	return ascii.Alphanumeric(r) || strings.ContainsRune("-._~+/", r)
}

// ValidText reports whether s can be a client ID, a client secret or a refresh
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

// parseScope reads scopes that are separated by spaces or commas (Slack,
// GitHub), or in a JSON list. It returns them separated by spaces.
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

// seconds reads a duration in seconds. It is not ok if it is missing, malformed
// or not positive.
func seconds(raw json.RawMessage) (time.Duration, bool) {
	n, ok := number(raw)
	if !ok {
		return 0, false
	}
	return time.Duration(min(n, maxExpiresIn.Seconds()) * float64(time.Second)), true
}

// number reads a positive number, or a string of one, because some servers send
// that.
func number(raw json.RawMessage) (float64, bool) {
	text := strings.Trim(strings.TrimSpace(string(raw)), `"`)
	f, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	return f, err == nil && f > 0 // false for NaN
}
