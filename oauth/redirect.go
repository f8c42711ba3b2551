package oauth

import (
	"fmt"
	"net/http"
	"slices"

	"github.com/mcp-login/mcp-login/internal/netcheck"
)

const maxRedirects = 3

// redirected checks a request that follows a redirect, and returns it with the
// headers that may be sent. It returns any other request unchanged.
func redirected(r *http.Request) (*http.Request, error) {
	var via []*http.Request // latest first
	for resp := r.Response; resp != nil && resp.Request != nil && len(via) <= maxRedirects; resp = resp.Request.Response {
		via = append(via, resp.Request)
	}
	if len(via) == 0 {
		return r, nil
	}
	slices.Reverse(via)
	r = r.Clone(r.Context()) // a RoundTripper must not modify the request
	return r, checkRedirect(r, via)
}

// checkRedirect is the CheckRedirect for every request of this package, with any
// http.Client.
func checkRedirect(r *http.Request, via []*http.Request) error {
	first, last := via[0], via[len(via)-1]
	refuse := func(why string) error {
		return &RedirectError{From: displayURL(last.URL), To: displayURL(r.URL), Reason: why}
	}
	for _, before := range via {
		if before.Method != http.MethodGet && before.Method != http.MethodHead {
			return refuse("a " + before.Method + " is never redirected")
		}
	}
	if len(via) > maxRedirects {
		return refuse(fmt.Sprintf("more than %d redirects", maxRedirects))
	}
	if r.URL.Scheme != last.URL.Scheme {
		return refuse("the scheme changes")
	}
	if err := checkURL(r.URL); err != nil {
		return err
	}
	if !netcheck.SameOrigin(r.URL, first.URL) {
		keepOnly(r.Header, "Accept", "User-Agent")
	}
	return nil
}

func keepOnly(h http.Header, names ...string) {
	kept := make(http.Header, len(names))
	for _, n := range names {
		if v := h.Values(n); v != nil {
			kept[n] = v
		}
	}
	clear(h)
	for n, v := range kept {
		h[n] = v
	}
}

// RedirectError is a redirect that was not followed.
type RedirectError struct {
	From, To string // without query
	Reason   string
}

func (e *RedirectError) Error() string {
	return fmt.Sprintf("%s redirects to %s: not followed, %s", e.From, e.To, e.Reason)
}
