package relay

import (
	"net/url"
	"slices"
	"strings"

	"github.com/mcp-login/mcp-login/internal/ascii"
	"github.com/mcp-login/mcp-login/internal/netcheck"
	"github.com/mcp-login/mcp-login/oauth"
)

const (
	maxAuthorizationURL = 8 << 10
	maxQuery            = 8 << 10 // of an authorization response
	minState            = 16
)

// urlError says why an authorization URL is rejected, as an error code for the
// client.
type urlError struct{ code string }

func (e *urlError) Error() string { return "authorization URL rejected: " + e.code }

// checkAuthorizationURL validates an authorization URL and returns its state.
// The relay redirects only to authorization requests with PKCE whose response
// comes back to the relay.
func (r *Relay) checkAuthorizationURL(raw string) (state string, err error) {
	endpoint, query, _ := strings.Cut(raw, "?")
	u, err := oauth.CheckURL(endpoint)
	if err != nil || len(raw) > maxAuthorizationURL || !ascii.Only(query, ascii.Visible) || strings.Contains(query, "#") {
		return "", &urlError{"invalid_authorization_url"}
	}
	q, err := url.ParseQuery(query)
	if err != nil {
		return "", &urlError{"invalid_authorization_url"}
	}
	one := func(name string) string {
		if len(q[name]) != 1 {
			return ""
		}
		return q.Get(name)
	}
	switch {
	case u.Scheme != "https" && !netcheck.IsLoopback(r.base.Host): // for tests on one machine
		return "", &urlError{"insecure_authorization_url"}
	case !r.leadsTo(u.Hostname()):
		return "", &urlError{"issuer_not_allowed"}
	case u.Host == r.base.Host:
		return "", &urlError{"invalid_authorization_url"}
	case q.Has("request") || q.Has("request_uri") || q.Has("response_mode"): // they would replace the parameters below
		return "", &urlError{"invalid_authorization_url"}
	case one("response_type") != "code":
		return "", &urlError{"invalid_response_type"}
	case one("redirect_uri") != r.redirectURI():
		return "", &urlError{"invalid_redirect_uri"}
	case len(one("state")) < minState:
		return "", &urlError{"missing_state"}
	case one("code_challenge") == "" || one("code_challenge_method") != "S256":
		return "", &urlError{"missing_pkce"}
	}
	return q.Get("state"), nil
}

func (r *Relay) leadsTo(host string) bool {
	return len(r.cfg.AllowIssuers) == 0 || slices.ContainsFunc(r.cfg.AllowIssuers, func(allowed string) bool {
		return strings.EqualFold(allowed, host)
	})
}

// failures are the error codes of an authorization response that have their own
// text (RFC 6749 §4.1.2.1).
var failures = []string{
	"access_denied", "invalid_request", "unauthorized_client", "unsupported_response_type", "invalid_scope",
	"server_error", "temporarily_unavailable",
}

// failure returns the error code of an authorization response: "" if it reports
// none, and "server_error" for a code that is not known.
func failure(q url.Values) string {
	code := q.Get("error")
	switch {
	case !q.Has("error"):
		return ""
	case slices.Contains(failures, code):
		return code
	}
	return "server_error"
}
