package oauth

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/mcp-login/mcp-login/internal/netcheck"
)

// NotServerError means that a URL does not lead to an MCP server that supports
// sign-in.
type NotServerError struct {
	URL    string // without query
	Reason string
	Try    string // the URL that may be the right one; "": none is known

	moved *RedirectError // nil: no redirect
}

func (e *NotServerError) Error() string { return e.URL + " " + e.Reason }

// Unwrap returns the redirect that was not followed, if there was one.
func (e *NotServerError) Unwrap() error {
	if e.moved == nil {
		return nil
	}
	return e.moved
}

// redirectError returns the error for a redirect of the probe. A POST is never
// redirected, but the error can name the target.
func redirectError(serverURL string, moved *RedirectError) error {
	from, err1 := CheckURL(serverURL)
	to, err2 := CheckURL(moved.To)
	if err1 != nil || err2 != nil || !netcheck.SameOrigin(from, to) || looksLikeLogin(to) {
		return fmt.Errorf("%w; if that is the right server, use its URL", moved)
	}
	return &NotServerError{URL: displayURL(from), Try: moved.To,
		Reason: fmt.Sprintf("redirects to %s: not followed, %s; if that is the right server, use its URL", moved.To, moved.Reason), moved: moved}
}

// looksLikeLogin reports whether a redirect leads to a sign-in page.
func looksLikeLogin(u *url.URL) bool {
	path := strings.ToLower(u.Path)
	return strings.Contains(path, "login") || strings.Contains(path, "signin") || strings.Contains(path, "sign-in")
}

// isPage reports whether the response is a web page.
func (p probed) isPage() bool {
	return p.mediaType == "text/html" || p.mediaType == "application/xhtml+xml"
}

// mayBeSSE reports whether the response is one that servers of the HTTP+SSE
// transport of 2024-11-05 send to a POST.
func (p probed) mayBeSSE() bool {
	return p.status == http.StatusNotFound || p.status == http.StatusMethodNotAllowed
}

// probeSSE probes as a client of the HTTP+SSE transport of 2024-11-05. It
// returns p if the server does not use that transport.
func probeSSE(ctx context.Context, c *http.Client, serverURL string, p probed) probed {
	header := http.Header{"Accept": {"text/event-stream"}}
	resp, _, err := do(ctx, c, http.MethodGet, serverURL, header, nil)
	if err != nil {
		return p // use the first response
	}
	defer resp.Body.Close()
	a := &response{url: displayURL(resp.Request.URL), status: resp.StatusCode, header: resp.Header}
	switch {
	case a.requiresToken():
		asked := probed{status: a.status, mediaType: a.contentType(), sse: true}
		asked.readChallenges(ParseChallenges(a.header))
		return asked
	case a.ok() && a.contentType() == "text/event-stream":
		return probed{status: a.status, mediaType: a.contentType(), sse: true, open: true}
	}
	return p
}

// diagnose returns the error for a server without resource metadata.
func (p probed) diagnose(server *url.URL) error {
	not := func(reason string) error { return &NotServerError{URL: displayURL(server), Reason: reason} }
	switch {
	case p.open && p.sse:
		return not("uses the HTTP+SSE transport of 2024-11-05 and requires no token")
	case p.open:
		return ErrNoAuthorization
	case p.isPage() && p.status < 300:
		return not("answers with a web page, not as an MCP server")
	case p.status == http.StatusNotFound:
		return not("has no MCP server at this path (HTTP 404)")
	case p.status == http.StatusMethodNotAllowed:
		return not("does not accept MCP messages (HTTP 405)")
	case p.status == http.StatusGone:
		return not("no longer has an MCP server (HTTP 410)")
	}
	return &NoMetadataError{Status: p.status}
}
